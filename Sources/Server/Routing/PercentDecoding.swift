import Foundation

/// Reads what is percent-encoded. RFC 3986, §2.1.
enum PercentDecoding {
    /// A part of a path.
    ///
    /// - Throws: 400 for what is not UTF-8 then, or holds a NUL.
    static func text(_ part: some StringProtocol) throws(Problem) -> String {
        guard let text = part.removingPercentEncoding, !text.utf8.contains(0) else {
            throw .badRequest("the path holds percent-encoding that is not UTF-8, or a NUL")
        }
        return text
    }

    /// The names and values of a query, where "+" is a space.
    ///
    /// - Throws: 400 likewise.
    static func query(_ query: String?) throws(Problem) -> [(name: String, value: String)] {
        var items: [(name: String, value: String)] = []
        for item in (query ?? "").split(separator: "&") {
            let name = item.prefix { $0 != "=" }
            let value = item.dropFirst(name.count + 1)
            guard let name = name.replacing("+", with: " ").removingPercentEncoding,
                let value = value.replacing("+", with: " ").removingPercentEncoding,
                !name.utf8.contains(0), !value.utf8.contains(0)
            else { throw .badRequest("the query holds percent-encoding that is not UTF-8, or a NUL") }
            items.append((name, value))
        }
        return items
    }
}
