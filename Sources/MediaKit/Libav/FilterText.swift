/// Builds the text of a filter graph from filters and options, with the escaping that each level of libav's parser
/// takes away. See "Notes on filtergraph escaping" in FFmpeg's filter documentation.
struct FilterText: Sendable, Equatable {
    private(set) var chain: [String] = []

    var isEmpty: Bool { chain.isEmpty }

    mutating func append(_ filter: String, _ options: [(String, String)] = []) {
        let text = options.map { "\($0.0)=\(Self.escape($0.1))" }.joined(separator: ":")
        chain.append(options.isEmpty ? filter : "\(filter)=\(text)")
    }

    /// The chain from a source to the sink.
    ///
    /// - Parameters:
    ///   - nothing: the filter that does nothing, for an empty chain: "null" or "anull".
    ///   - sources: how many sources there are.
    func joined(nothing: String, sources: Int = 1) -> String {
        let labels = (0..<sources).map { "[in\($0)]" }.joined()
        return labels + (chain.isEmpty ? nothing : chain.joined(separator: ",")) + "[out]"
    }

    /// Escapes an option's value twice: for the option parser, then for the graph parser.
    ///
    /// Both parsers drop spaces at the ends, unless they are escaped too.
    static func escape(_ value: String) -> String { escape(escape(value, "\\': \t\n"), "\\'[],; \t\n") }

    private static func escape(_ text: String, _ special: String) -> String {
        text.reduce(into: "") { result, character in
            if special.contains(character) { result.append("\\") }
            result.append(character)
        }
    }
}
