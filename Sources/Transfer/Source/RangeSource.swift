public import ByteIO

/// Reads an object in a store or behind a URL, at any offset, while it is downloaded.
///
/// ```swift
/// let source = try await RangeSource(WebObject(client, HTTPRequest(.get, url)))
/// ```
/// What is asked for comes by requests for ranges, which run ahead of a reader that goes forward; what was read lately
/// is kept, and so is the end of the object. A connection that breaks is taken up where it broke. Every answer must be
/// of the version that was opened; another one is an error of code `changed`.
///
/// A server without ranges is read from start to end, and ``notices`` says so.
///
/// No more than ``RangeSourceOptions/cachedBlocks`` blocks are in memory, whatever the size of the object.
///
/// Thread safety: as ``ByteSource``; `cancel` may come from any thread. `read` blocks its thread, which must not be one
/// of Swift's pool.
public final class RangeSource: PlannableByteSource {
    /// The store's name and the key, or the URL without its query.
    public let name: String
    /// In bytes; `nil` if the server does not say it.
    public let length: Int64?
    /// False for a server without ranges, unless all of the object can be kept.
    public let isSeekable: Bool
    /// What a person should know who wonders why this is slow, each a sentence.
    public let notices: [String]

    private enum Reader: Sendable {
        case ranges(RangeReader)
        case sequential(SequentialReader)
    }
    private let reader: Reader
    private let plannedShare: Double

    /// Opens the object.
    ///
    /// - Throws: ``TransferError``: `notFound`, `accessDenied`, …
    public init(_ object: any RangedObject, options: RangeSourceOptions = RangeSourceOptions()) async throws {
        name = object.name
        plannedShare = options.plannedShare
        let info = try await object.open(first: Int(ReadAhead.firstFetch))
        length = info.size
        if let size = info.size, info.acceptsRanges || Int64(info.head.count) == size {
            reader = .ranges(RangeReader(object, info, length: size, options: options))
            isSeekable = true
            notices = []
        } else {
            reader = .sequential(SequentialReader(object, info, options: options))
            isSeekable = info.size.map { $0 <= Int64(options.replayBytes) } ?? false
            notices =
                isSeekable
                ? []
                : ["the server of \(object.name) has no ranges: it is read from start to end, and cannot be sought in"]
        }
    }

    deinit { stop(TransferError(.closed, "\(name) was closed")) }

    /// Fetches nothing but what `plan` names from now on, and the few bytes around what is read besides.
    ///
    /// - Parameter plan: `nil` to go back to blocks. A server without ranges sends all, whatever the plan.
    public func follow(_ plan: RangePlan?) {
        if case .ranges(let reader) = reader { reader.follow(plan) }
    }

    /// Ranges are made a ``RangePlan``.
    public func expect(_ reads: ExpectedReads) {
        guard case .ranges(let reader) = reader else { return }
        switch reads {
        case .forward: reader.follow(nil)
        case .scattered: reader.follow(nil, isScattered: true)
        case .ranges(let ranges):
            let most = plannedShare < 1 ? Int64(plannedShare * Double(min(reader.length, 1 << 60))) : reader.length
            reader.follow(RangePlan(ranges, fetchingAtMost: most))
        }
    }

    /// - Throws: ``TransferError``.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        switch reader {
        case .ranges(let reader): try reader.read(into: buffer, at: offset)
        case .sequential(let reader): try reader.read(into: buffer, at: offset)
        }
    }

    public func cancel() {
        stop(TransferError(.cancelled, "reading \(name) was cancelled", isRetryable: false))
    }

    private func stop(_ error: TransferError) {
        switch reader {
        case .ranges(let reader): reader.stop(error)
        case .sequential(let reader): reader.stop(error)
        }
    }

    /// What it took so far.
    public var statistics: Statistics {
        switch reader {
        case .ranges(let reader):
            Statistics(bytesFetched: reader.bytesFetched, requests: reader.requests, bytesHeld: reader.held.bytes)
        case .sequential(let reader): Statistics(bytesFetched: reader.bytesFetched, requests: 1, bytesHeld: reader.held)
        }
    }

    /// What reading has cost.
    public struct Statistics: Sendable, Hashable {
        /// Bytes of the object that arrived, some perhaps twice.
        public var bytesFetched: Int64
        /// Requests that were begun, retries not counted.
        public var requests: Int
        /// Bytes that are in memory or on their way there.
        public var bytesHeld: Int64
    }
}
