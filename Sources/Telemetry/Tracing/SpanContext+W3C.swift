/// Trace Context as the W3C has it, Level 1. https://www.w3.org/TR/trace-context/
extension SpanContext {
    /// The names of the two headers.
    static let parentHeader = "traceparent"
    static let stateHeader = "tracestate"

    /// Reads `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`, as another process sent it.
    ///
    /// Strict: `nil` for capital letters, zeros only, blanks around it, other lengths. Of a version that is not known
    /// yet, the parts that this one knows are read. A `tracestate` that cannot be read is left out.
    public init?(traceparent: String, tracestate: String? = nil) {
        let bytes = Array(traceparent.utf8)
        let dash = UInt8(ascii: "-")
        guard bytes.count >= 55, bytes[2] == dash, bytes[35] == dash, bytes[52] == dash,
            let version = Hex.value(bytes[..<2]), version != 0xFF,
            bytes.count == 55 || version > 0 && bytes[55] == dash,
            let high = Hex.value(bytes[3..<19]), let low = Hex.value(bytes[19..<35]),
            let traceID = TraceID(high: high, low: low),
            let span = Hex.value(bytes[36..<52]), let spanID = SpanID(span),
            let flags = Hex.value(bytes[53..<55])
        else { return nil }
        self.init(
            traceID: traceID, spanID: spanID, isSampled: flags & 1 == 1,
            state: tracestate.flatMap { TraceState($0) } ?? .empty, isRemote: true)
    }

    /// As it goes to another process, whose parent this span is then.
    public var traceparent: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(55)
        bytes += "00-".utf8
        traceID.append(to: &bytes)
        bytes += "-".utf8
        spanID.append(to: &bytes)
        // Level 1 knows one flag, and has all others be 0.
        bytes += (isSampled ? "-01" : "-00").utf8
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Goes along with `traceparent`; `nil` where there is none.
    public var tracestate: String? { state.members.isEmpty ? nil : state.description }
}
