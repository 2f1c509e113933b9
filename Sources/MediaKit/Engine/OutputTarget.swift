import ByteIO

/// Where an output's bytes go, and how they are laid out there.
///
// Safe to send: used by the mux stage's thread, then by the job's thread after that was joined.
final class OutputTarget: @unchecked Sendable {
    let sink: any ByteSink
    private let output: any MuxerOutput
    private var limit: Int64?
    /// Whether a muxer may go back to the start.
    let isSeekable: Bool
    var name: String { sink.name }

    /// - Parameter reservedIndexBytes: for MP4 and MOV, the room to keep for the index in front of the media;
    ///   `nil` writes what the muxer writes as it is.
    init(sink: any ByteSink, reservedIndexBytes: Int?) {
        self.sink = sink
        isSeekable = sink.rewritableHead > 0
        if let reservedIndexBytes, sink.rewritableHead > 0 {
            output = ProgressiveMovieOutput(sink, reservedIndexBytes: reservedIndexBytes)
        } else {
            output = DirectOutput(sink)
        }
    }

    func makeBridge(control: JobControl) throws -> OutputBridge {
        let sink = sink
        limit = control.limits.outputBytes
        control.onStop { sink.cancel() }
        return try OutputBridge(output: output, name: name, seekable: isSeekable, control: control)
    }

    /// Puts the index in its place. Returns warnings.
    func finishLayout() throws -> [String] {
        let warnings: [String]
        do { warnings = try output.finish() } catch { throw MediaError.wrapping(error, input: name) }
        // The muxer knows nothing of the room in front of the media.
        if let limit, size > limit { throw MediaError.outputTooLarge(name, limit: limit) }
        return warnings
    }

    /// Bytes written, as a reader will see them.
    var size: Int64 { output.sinkSize }

    func abort() { sink.abort() }
}

extension MediaError {
    static func outputTooLarge(_ name: String, limit: Int64) -> MediaError {
        MediaError(
            .resourceLimit, "the output is larger than the limit of \(limit) bytes",
            hint: "raise limits.outputBytes or lower the quality", input: name)
    }
}
