/// Writes Prometheus' text format, version 0.0.4.
/// https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details
struct PrometheusText {
    private var bytes: [UInt8] = []

    init() { bytes.reserveCapacity(16 << 10) }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The lines ahead of a family's samples.
    mutating func head(_ name: String, _ kind: MetricKind, help: String?) {
        if let help, !help.isEmpty { line("# HELP \(name) \(Self.escaped(help))") }
        line("# TYPE \(name) \(kind.rawValue)")
    }

    mutating func sample(_ name: String, _ labels: MetricLabels, _ value: MetricValue) {
        line(labels.text.isEmpty ? "\(name) \(Self.text(value))" : "\(name){\(labels.text)} \(Self.text(value))")
    }

    mutating func histogram(_ name: String, _ labels: MetricLabels, _ series: HistogramSeries) {
        // Read once, so that the buckets and the count agree while others count on.
        let counts = series.bucketCounts
        let sum = series.sum
        let prefix = labels.text.isEmpty ? "" : labels.text + ","
        var total = 0
        for (index, count) in counts.enumerated() {
            total += count
            let bound = index < series.buckets.bounds.count ? Self.text(series.buckets.bounds[index]) : "+Inf"
            line("\(name)_bucket{\(prefix)le=\"\(bound)\"} \(total)")
        }
        sample(name + "_sum", labels, .double(sum))
        sample(name + "_count", labels, .integer(Int64(total)))
    }

    private mutating func line(_ text: String) {
        bytes += text.utf8
        bytes.append(UInt8(ascii: "\n"))
    }

    private static func text(_ value: MetricValue) -> String {
        switch value {
        case .integer(let value): String(value)
        case .double(let value): text(value)
        }
    }

    /// As Go's `ParseFloat` reads it.
    static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        // "3" reads better than "3.0", and within 2⁵³ is the same.
        if value.magnitude < 0x1p53, let whole = Int64(exactly: value) { return String(whole) }
        return "\(value)"
    }

    private static func escaped(_ help: String) -> String {
        var text = ""
        for scalar in help.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
