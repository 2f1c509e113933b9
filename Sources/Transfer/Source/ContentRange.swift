/// A `Content-Range` header. RFC 9110, §14.4.
package struct ContentRange: Equatable {
    /// `nil` where the header says that there is no such range.
    package var range: Range<Int64>?
    /// Of the whole object; `nil` where the server does not know it.
    package var size: Int64?

    /// Reads "bytes 0-499/1234", "bytes 0-499/*" and "bytes */1234"; `nil` for anything else.
    package init?(_ text: String?) {
        guard let text, text.lowercased().hasPrefix("bytes ") else { return nil }
        let parts = text.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        if parts[1] != "*" {
            guard let size = Int64(parts[1]), size >= 0 else { return nil }
            self.size = size
        }
        if parts[0] == "*" { return }
        let bounds = parts[0].split(separator: "-", omittingEmptySubsequences: false).map { Int64($0) }
        guard bounds.count == 2, let first = bounds[0], let last = bounds[1], first >= 0, first <= last,
            last < size ?? .max
        else { return nil }
        range = first..<last + 1
    }
}
