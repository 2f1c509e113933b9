package import Transfer

/// A request as it came over the wire.
package struct RawRequest: Sendable {
    package var method: String
    /// As it was sent, with the query.
    package var target: String
    package var headers: HTTPHeaders
    /// The number of the connection it came on, from 1.
    package var connection: Int

    package var path: String { String(target.prefix { $0 != "?" }) }
    /// Without "?"; `nil` where there is none.
    package var query: String? {
        target.firstIndex(of: "?").map { String(target[target.index(after: $0)...]) }
    }

    /// Reads the lines of a head.
    init(_ head: String, connection: Int) throws {
        var lines = head.split(separator: "\r\n", omittingEmptySubsequences: false)[...]
        let words = (lines.popFirst() ?? "").split(separator: " ")
        guard words.count == 3, words[2] == "HTTP/1.1" else { throw RawServerError("a bad request line") }
        method = String(words[0])
        target = String(words[1])
        self.connection = connection
        headers = [:]
        for line in lines where !line.isEmpty {
            guard let colon = line.firstIndex(of: ":") else { throw RawServerError("a header without a colon") }
            headers.add(
                String(line[..<colon]), String(line[line.index(after: colon)...].drop { $0 == " " }))
        }
    }
}
