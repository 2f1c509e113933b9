/// Builds the text of a filter graph from filters and options, with the escaping that each level of libav's parser
/// takes away. See "Notes on filtergraph escaping" in FFmpeg's filter documentation.
struct FilterText: Sendable, Equatable {
    private(set) var chain: [String] = []
    /// Chains between named links, before the one that ends at the sink.
    private(set) var sections: [String] = []
    /// The links that the last chain begins with, where there are sections; without them it begins with the sources.
    private var heads: [String] = []

    init() {}

    /// Several chains.
    ///
    /// - Parameters:
    ///   - network: all but the last one, as ``linked(from:to:)`` writes them.
    ///   - last: the one that leads to the sink.
    ///   - labels: what the last one takes.
    init(network: [String], last: FilterText, from labels: [String]) {
        chain = last.chain
        sections = network
        heads = labels
    }

    var isEmpty: Bool { chain.isEmpty && sections.isEmpty }

    /// Goes on with another text's chain.
    mutating func append(_ text: FilterText) { chain += text.chain }

    /// Adds a chain between links by name: letters and digits. The sources' links are "in0", "in1", …
    mutating func section(from inputs: [String], _ text: FilterText, to outputs: [String]) {
        sections.append(text.linked(from: inputs, to: outputs))
    }

    /// What is appended from here on begins with these links.
    mutating func begin(from links: [String]) { heads = links }

    private static func labels(_ names: [String]) -> String { names.map { "[\($0)]" }.joined() }

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
        let first = sections.isEmpty ? (0..<sources).map { "in\($0)" } : heads
        let last = Self.labels(first) + (chain.isEmpty ? nothing : chain.joined(separator: ",")) + "[out]"
        return (sections + [last]).joined(separator: ";")
    }

    /// One of several chains, between labels.
    func linked(from sources: [String], to sinks: [String]) -> String {
        Self.labels(sources) + chain.joined(separator: ",") + Self.labels(sinks)
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
