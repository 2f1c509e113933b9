/// How far a sink has come.
enum SinkProgress {
    case open, finished, aborted

    /// - Throws: ``ByteIOError`` with code `io` if the sink was finished or aborted.
    func expectOpen(_ operation: String, _ name: String) throws {
        guard self == .open else {
            throw ByteIOError(.io, "cannot \(operation) \(name): it was \(self) before")
        }
    }
}
