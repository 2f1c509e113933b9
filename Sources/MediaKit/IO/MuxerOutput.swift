/// Where a muxer's bytes go: the layer between libav's AVIO callbacks and a `ByteSink`.
///
/// A muxer appends nearly always, and now and then seeks back to write a size or an index that it knows only at the
/// end. Here a seek is no call of its own: the AVIO bridge keeps a position and passes it with each write.
///
/// Thread safety: used by one thread at a time.
protocol MuxerOutput: AnyObject {
    /// The length in bytes of the file as the muxer sees it, which answers AVSEEK_SIZE.
    var size: Int64 { get }

    /// The length in bytes of what is in the sink. After `finish` that is the result's, with room and index.
    var sinkSize: Int64 { get }

    /// Writes all of `bytes`, `position` bytes from the start of the file as the muxer sees it.
    ///
    /// - Throws: the sink's own error unchanged, or ``MediaError`` with code `io` if the sink cannot be written there.
    func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws

    /// Puts what was held back in its place. To be called once, after the muxer's trailer; publishing the result
    /// with the sink's own `finish` is left to the caller.
    ///
    /// - Returns: warnings, each a sentence, for the result of the operation.
    /// - Throws: as `write` does, and ``MediaError`` with code `internal` if what the muxer wrote cannot be made a
    ///   correct file.
    func finish() throws -> [String]
}
