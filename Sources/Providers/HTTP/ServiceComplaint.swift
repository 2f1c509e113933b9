import FoundationEssentials
import Transfer

/// What a service says went wrong, in the body of an error: the forms of OpenAI and its likes, Anthropic and fal.ai, and
/// plain text.
struct ServiceComplaint: Sendable, Equatable {
    /// For people. It may repeat what was sent.
    var message: String?
    /// For programs: `type` or `code`.
    var kind: String?
    /// The parameter it is about, where it says so.
    var parameter: String?
    /// All that is for programs.
    private var kinds: [String] = []

    init(_ body: [UInt8]) {
        guard let document = try? JSONTree(parsing: body) else {
            message = Self.plainText(body)
            return
        }
        // {"error": {"message", "type", "param", "code"}}, {"type": "error", "error": {"type", "message"}}
        let error = document["error"] ?? document
        if let text = error.string {
            message = text
        } else {
            message = error["message"]?.string
            parameter = error["param"]?.string
            kinds = [error["code"]?.string, error["type"]?.string].compactMap(\.self)
        }
        // {"detail": "…", "error_type"?}, {"detail": [{"loc", "msg", "type"}]}
        if let detail = document["detail"] {
            if let first = detail.array?.first {
                message = first["msg"]?.string
                kinds = [first["type"]?.string].compactMap(\.self)
                parameter = first["loc"]?.array?.last?.string
            } else {
                message = detail.string ?? detail["message"]?.string
            }
        }
        if let kind = document["error_type"]?.string { kinds.insert(kind, at: 0) }
        kinds = kinds.filter { $0.utf8.count <= 64 && $0.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } }
        kind = kinds.first
    }

    /// A line of a proxy's or a simple server's; neither a page nor half of a document.
    private static func plainText(_ body: [UInt8]) -> String? {
        let text = String(decoding: body.prefix(1000), as: UTF8.self).trimmed
        return text.isEmpty || text.hasPrefix("<") || text.hasPrefix("{") || text.hasPrefix("[") ? nil : text
    }

    /// The account has no money or quota left.
    var isQuota: Bool {
        kinds.contains { ["insufficient_quota", "billing_error", "billing_hard_limit_reached"].contains($0) }
            || ["exhausted balance", "credit balance is too low"].contains { mentions($0) }
    }

    /// The conversation is longer than the model takes.
    var isTooLong: Bool {
        kinds.contains { ["context_length_exceeded", "request_too_large"].contains($0) }
            || ["maximum context length", "prompt is too long"].contains { mentions($0) }
    }

    /// Whether the service will not do it, by its rules of content.
    var isRefusal: Bool {
        kinds.contains { $0.contains("content_policy") || $0 == "content_filter" || $0.contains("moderation") }
    }

    /// Whether the message or the parameter's name holds `text`, in whatever case.
    func mentions(_ text: String) -> Bool {
        let text = text.lowercased()
        return parameter?.lowercased().contains(text) == true || message?.lowercased().contains(text) == true
            || kinds.contains { $0.lowercased().contains(text) }
    }

    /// The message as it can be shown: a line of it, unless it repeats a key or what was sent.
    func shown(besides sent: String?, keys: HTTPHeaders = [:]) -> String? {
        guard let message else { return nil }
        let line = String(
            message.map { $0.isNewline || $0.isWhitespace ? " " : $0 }.prefix(300))
        for field in keys.fields {
            for secret in field.value.split(separator: " ") where secret.utf8.count >= 8 && line.contains(secret) {
                return nil
            }
        }
        if let sent, Self.shares(line, with: sent) { return nil }
        return line.isEmpty ? nil : line
    }

    /// Whether 24 bytes in a row are the same: names of models and fields are shorter, what people say is longer.
    private static func shares(_ line: String, with sent: String) -> Bool {
        let length = 24
        let line = Array(line.utf8)
        guard line.count >= length else { return false }
        let sent = Array(sent.utf8)
        guard sent.count >= length else { return false }
        var windows: Set<ArraySlice<UInt8>> = []
        for start in 0...(line.count - length) { windows.insert(line[start..<start + length]) }
        return (0...(sent.count - length)).contains { windows.contains(sent[$0..<$0 + length]) }
    }
}
