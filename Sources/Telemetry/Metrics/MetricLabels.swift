/// The labels of one series as they stand in the text: `kind="media.probe",outcome="failed"`; empty without any.
///
/// Sorted by name, so that the same dimensions in another order are the same series.
struct MetricLabels: Hashable, Comparable {
    let text: String

    /// What series share that are too many.
    static let overflow = MetricLabels([("overflow", "true")])

    /// The longest value that is kept, in bytes of UTF-8.
    private static let longestValue = 256

    /// Names are made valid; of a name that comes twice, the last value counts.
    ///
    /// - Parameter reserved: a name that the format needs for itself; a label of that name gets "_" behind it.
    init(_ dimensions: [(String, String)], reserved: String? = nil) {
        guard !dimensions.isEmpty else {
            text = ""
            return
        }
        var values: [String: String] = [:]
        for (name, value) in dimensions {
            var name = MetricName.label(name)
            if name == reserved { name += "_" }
            values[name] = value
        }
        var text = ""
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            if !text.isEmpty { text += "," }
            text += "\(name)=\"\(Self.escaped(value.cut(to: Self.longestValue)))\""
        }
        self.text = text
    }

    static func < (left: MetricLabels, right: MetricLabels) -> Bool { left.text < right.text }

    private static func escaped(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 == 0x5C || $0 == 0x22 || $0 == 0x0A }) else { return value }
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
