/// Builds the text of a filter graph from filters and options, with the escaping that each level of libav's parser
/// takes away. See "Notes on filtergraph escaping" in FFmpeg's filter documentation.
struct FilterText: Sendable, Equatable {
    private(set) var chain: [String] = []
    /// What precedes the last chain, where there is more than one; they name their sources themselves.
    private var network: String?

    init() {}

    /// Several chains.
    ///
    /// - Parameters:
    ///   - network: all but the last one, as ``linked(from:to:)`` writes them.
    ///   - last: the one that leads to the sink.
    ///   - labels: what the last one takes.
    init(network: [String], last: FilterText, from labels: [String]) {
        chain = last.chain
        self.network = network.map { $0 + ";" }.joined() + labels.map { "[\($0)]" }.joined()
    }

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
        let labels = network ?? (0..<sources).map { "[in\($0)]" }.joined()
        return labels + (chain.isEmpty ? nothing : chain.joined(separator: ",")) + "[out]"
    }

    /// One of several chains, between labels.
    func linked(from sources: [String], to sinks: [String]) -> String {
        sources.map { "[\($0)]" }.joined() + chain.joined(separator: ",") + sinks.map { "[\($0)]" }.joined()
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
