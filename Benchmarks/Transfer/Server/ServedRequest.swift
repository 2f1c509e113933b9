/// The head of a request, as far as the server needs it.
struct ServedRequest {
    var method: Substring
    /// "/bucket/key". Keys are plain ASCII here, and nothing is decoded.
    var path: Substring
    /// Without "?"; empty where there is none.
    var query: Substring
    private var headers: [String: String] = [:]

    init?(_ head: String) {
        var lines = head.split(separator: "\r\n")[...]
        let words = (lines.popFirst() ?? "").split(separator: " ")
        guard words.count == 3 else { return nil }
        method = words[0]
        path = words[1].prefix { $0 != "?" }
        query = words[1].dropFirst(path.count + 1)
        for line in lines {
            let name = line.prefix { $0 != ":" }
            headers[name.lowercased()] = String(line.dropFirst(name.count + 1).drop { $0 == " " })
        }
    }

    /// A header's value, by its name in small letters.
    subscript(header: String) -> String? { headers[header] }

    /// A value of the query; empty for a name without one.
    func value(_ name: String) -> Substring? {
        query.split(separator: "&").lazy.map { $0.split(separator: "=", maxSplits: 1) }
            .first { $0.first.map { $0 == name } ?? false }.map { $0.count > 1 ? $0[1] : "" }
    }

    var contentLength: Int { self["content-length"].flatMap { Int($0) } ?? 0 }

    /// What is asked for of `size` bytes; `nil` for all.
    func range(of size: Int) -> Range<Int>? {
        guard let text = self["range"], text.hasPrefix("bytes=") else { return nil }
        let bounds = text.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard bounds.count == 2, let first = bounds[0], first < size else { return nil }
        return first..<min(size, (bounds[1] ?? size - 1) + 1)
    }
}
