/// A request in the one form that both sides of a signature write it in.
package struct CanonicalRequest: Sendable {
    package let method: HTTPMethod
    /// As it is sent.
    package let path: String
    /// Percent-encoded anew and sorted, each item with its "="; empty where there is none.
    package let query: String
    /// "host:example.com\n…", sorted by name.
    package let headers: String
    /// "host;range;x-amz-date"
    package let signedHeaders: String
    /// What it says of the body.
    package let payload: SigV4.Payload

    /// - Parameter headers: those to be signed, `host` among them.
    package init(_ method: HTTPMethod, _ url: HTTPURL, headers: HTTPHeaders, payload: SigV4.Payload) {
        self.method = method
        path = url.path
        query = Self.query(Self.items(of: url.query))
        var values: [String: [String]] = [:]
        for field in headers.fields { values[field.name.lowercased(), default: []].append(Self.trimmed(field.value)) }
        self.headers = Self.sorted(values.keys).map { "\($0):\(values[$0, default: []].joined(separator: ","))\n" }
            .joined()
        signedHeaders = Self.names(headers)
        self.payload = payload
    }

    /// All of it.
    package var text: String {
        "\(method)\n\(path)\n\(query)\n\(headers)\n\(signedHeaders)\n\(payload.text)"
    }

    /// Names of headers as they are listed.
    static func names(_ headers: HTTPHeaders) -> String {
        sorted(Set(headers.fields.map { $0.name.lowercased() })).joined(separator: ";")
    }

    /// By their bytes; Swift compares strings by what they mean.
    private static func sorted(_ names: some Sequence<String>) -> [String] {
        names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Without blanks around it, and with one for each run of them.
    private static func trimmed(_ value: String) -> String {
        value.split { $0 == " " || $0 == "\t" }.joined(separator: " ")
    }

    /// Names and values, with percent-encoding resolved.
    static func items(of query: String?) -> [(name: String, value: String)] {
        (query ?? "").split(separator: "&").map { item in
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (PercentEncoding.decoded(parts[0]), PercentEncoding.decoded(parts.dropFirst().first ?? ""))
        }
    }

    /// Everything but unreserved characters encoded, sorted by name and then value, each with its "=".
    static func query(_ items: [(name: String, value: String)]) -> String {
        items.map { (PercentEncoding.encoded($0.name), PercentEncoding.encoded($0.value)) }
            .sorted { $0.0 == $1.0 ? $0.1 < $1.1 : $0.0 < $1.0 }
            .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }
}
