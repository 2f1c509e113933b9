/// A place that bytes are written to, in order: a file, memory, a pipe, an upload.
///
/// What is written becomes visible under its final name only by `finish()`; after `abort()`, or if the sink is
/// dropped without either, nothing is left. A sink is used by one thread at a time, which it may block.
public protocol ByteSink: AnyObject, Sendable {
    /// A name for messages, without credentials or signatures.
    var name: String { get }

    /// How many bytes at the start may be written again by `rewrite`: 0 for a pipe, `Int64.max` for a file.
    var rewritableHead: Int64 { get }

    /// Appends all of `bytes`.
    func write(_ bytes: UnsafeRawBufferPointer) throws

    /// Writes `bytes` over what is already there, `offset` bytes from the start.
    ///
    /// The range must lie within both what has been written and `rewritableHead`.
    func rewrite(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws

    /// Does all of `finish` that may fail, short of making anything visible: flushes, and checks that the name is still
    /// free. For outputs that belong together: all are prepared before the first is finished. Nothing may be written
    /// after it.
    func prepare() throws

    /// Makes the whole visible. Nothing may be called after it but `abort`, which then does nothing.
    func finish() throws

    /// Removes what was written. May be called at any point, any number of times.
    func abort()

    /// Takes back what `finish` has made visible, because another output of the same job could not be. Where that is
    /// not possible (a pipe), does nothing.
    func retract()

    /// Makes a call that is waiting, and all later ones, throw soon. Called from any thread, any number of times.
    func cancel()
}

extension ByteSink {
    /// Does nothing: all that may fail is left to `finish`.
    public func prepare() throws {}
    /// Does nothing: what is finished stays.
    public func retract() {}
    /// Does nothing: calls that are waiting go on.
    public func cancel() {}
}

/// A sink whose written bytes can be read back before it is finished, which lets a container's index be moved to
/// the front even when no room was left for it.
public protocol ReadableByteSink: ByteSink {
    /// Reads up to `buffer.count` written bytes at `offset`; returns 0 at the end of what was written.
    func readBack(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int
}
