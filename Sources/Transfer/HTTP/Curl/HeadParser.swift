/// Puts the head of an answer together from the lines that libcurl hands over one by one.
struct HeadParser {
    enum Step {
        case more
        case head(ResponseFlow.Head)
        case malformed
    }

    /// The most bytes of a head. libcurl has a limit for a line only.
    private static let limit = 256 << 10

    private var head: ResponseFlow.Head?
    private var size = 0

    mutating func take(_ line: UnsafeRawBufferPointer) -> Step {
        size += line.count
        guard size <= Self.limit else { return .malformed }
        // What is not UTF-8 becomes U+FFFD: such a field is of no use to us.
        var text = String(decoding: line, as: UTF8.self)[...]
        while let last = text.unicodeScalars.last, last == "\r" || last == "\n" { text.unicodeScalars.removeLast() }
        if text.hasPrefix("HTTP/") { return begin(text) }
        guard head != nil else { return .malformed }
        if text.isEmpty {
            defer {
                head = nil
                size = 0
            }
            return head.map { .head($0) } ?? .malformed
        }
        // libcurl joins folded lines where they are part of a field; anything else without a colon is dropped.
        if let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) {
            let value = text[text.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            var trimmed = value
            while trimmed.last == " " || trimmed.last == "\t" { trimmed.removeLast() }
            head?.headers.add(String(text[..<colon]), String(trimmed))
        }
        return .more
    }

    /// "HTTP/1.1 200 OK", "HTTP/2 200 "
    private mutating func begin(_ line: Substring) -> Step {
        let words = line.split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[1].utf8.count == 3, let status = Int(words[1]), (100...599).contains(status)
        else {
            return .malformed
        }
        let version: HTTPVersion =
            switch words[0] {
            case "HTTP/1.0": .http1_0
            case "HTTP/2", "HTTP/2.0": .http2
            default: .http1_1
            }
        head = ResponseFlow.Head(status: status, version: version, headers: [:])
        return .more
    }
}
