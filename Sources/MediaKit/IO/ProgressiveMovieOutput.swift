import ByteIO

/// Writes an MP4 or QuickTime movie with its index (`moov`) in front of the media, in one pass.
///
/// libav's mov muxer writes the file type, the media and last the index, since only then it is known. A player that
/// reads over a network must wait for it, or seek. libav's own remedy (`movflags=faststart`) reads the whole file
/// again, and `moov_size` overwrites media when its guess was too small.
///
/// Here a `free` box of a given size is put behind the file type, the media passes through to the sink at once, and
/// the index is caught in memory, its chunk offsets moved by the size of that box, and written over it. If it does not
/// fit, the media is moved up in a sink that can be read back; in any other the index stays at the end, with a warning.
///
///     muxer:  ftyp free mdat(media…) moov
///     sink:   ftyp moov free         free mdat(media…)
///
/// What the muxer writes is passed on unchanged if it does not begin like that, as a fragmented movie does not. No
/// more is held in memory than the head and what follows the media, which is small beside the table of samples that
/// the muxer itself holds.
final class ProgressiveMovieOutput: MuxerOutput {
    private enum Layout {
        /// Not known yet: all that was written is in `head`.
        case unknown
        /// As the muxer writes it.
        case direct
        /// With room inserted; everything behind lies `room` bytes further than the muxer thinks.
        case movie(MovieHead)
    }

    /// The largest index that is put in front, in bytes.
    static let largestIndexInFront = 256 << 20
    /// The most bytes behind the media that are held in memory.
    static let largestTail = 2 << 30

    let output: DirectOutput
    private(set) var size: Int64 = 0
    var sinkSize: Int64 { output.sinkSize }
    private var layout = Layout.unknown
    /// Bytes of the `free` box that was inserted: 0, or at least 8.
    private var room: Int
    /// What the muxer wrote up to the start of the media.
    private var head: [UInt8] = []
    /// Whether `head` was changed since it was last looked into.
    private var headIsDirty = false
    /// What the muxer wrote behind the media.
    private var tail: [UInt8] = []

    /// - Parameters:
    ///   - reservedIndexBytes: room to leave for the index, which is cut to what the sink can write again.
    ///     ``estimateIndexBytes(_:)`` says how much is likely to do.
    init(_ sink: any ByteSink, reservedIndexBytes: Int) {
        output = DirectOutput(sink)
        room = reservedIndexBytes <= 0 ? 0 : max(8, min(reservedIndexBytes, Self.largestIndexInFront))
    }

    // MARK: Writing

    func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws {
        guard !bytes.isEmpty else { return }
        let (end, overflow) = position.addingReportingOverflow(Int64(bytes.count))
        guard position >= 0, !overflow, position - size <= DirectOutput.widestGap else {
            throw MediaError(
                .io, "cannot write at byte \(position): the output is only \(size) bytes long",
                input: output.sink.name)
        }
        switch layout {
        case .direct:
            try output.write(bytes, at: position)
        case .unknown:
            Self.place(bytes, at: Int(position), in: &head)
            try recognise()
        case .movie(let movie):
            try write(bytes, at: position, into: movie)
        }
        size = max(size, end)
    }

    /// Decides on the layout once enough of the head is there, and writes what was held.
    private func recognise() throws {
        switch MovieHead.find(in: head) {
        case .incomplete:
            return
        case .other:
            layout = .direct
            try output.write(head, at: 0)
            head = []
        case .media(let movie):
            layout = .movie(movie)
            let held = head
            head = Array(held[..<movie.mediaStart])
            let rewritable = output.sink.rewritableHead - Int64(movie.mediaStart)
            room = rewritable < Int64(room) ? Int(max(0, rewritable)) : room
            if room < 8 { room = 0 }
            try output.write(held[..<movie.insertion], at: 0)
            if room > 0 {
                try output.write(MovieBox.freeHeader(size: room), at: output.size)
                try output.appendZeros(Int64(room - 8))
            }
            try output.write(head[movie.insertion...], at: output.size)
            try held[movie.mediaStart...].withUnsafeBytes { try write($0, at: Int64(movie.mediaStart), into: movie) }
        }
    }

    /// Splits `bytes` into what belongs to the head, to the media, and behind it.
    private func write(_ bytes: UnsafeRawBufferPointer, at position: Int64, into movie: MovieHead) throws {
        var rest = bytes
        var position = position
        func take(until end: Int64) -> UnsafeRawBufferPointer {
            let count = Int(min(max(0, end - position), Int64(rest.count)))
            defer {
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                position += Int64(count)
            }
            return UnsafeRawBufferPointer(rebasing: rest[..<count])
        }
        let start = position
        let inHead = take(until: Int64(movie.mediaStart))
        if !inHead.isEmpty {
            Self.place(inHead, at: Int(start), in: &head)
            headIsDirty = true
            let before = UnsafeRawBufferPointer(rebasing: inHead.prefix(max(0, movie.insertion - Int(start))))
            try output.write(before, at: start)
            let behind = UnsafeRawBufferPointer(rebasing: inHead[before.count...])
            try output.write(behind, at: start + Int64(before.count + room))
        }
        guard !rest.isEmpty else { return }
        // A size in the head is looked at only when something is appended: a muxer may write it in several steps.
        let movie = position + Int64(rest.count) > size ? try upToDate(movie) : movie
        let mediaPosition = position
        let inMedia = take(until: movie.mediaEnd ?? .max)
        try output.write(inMedia, at: mediaPosition + Int64(room))
        if !rest.isEmpty, let mediaEnd = movie.mediaEnd {
            guard position - mediaEnd + Int64(rest.count) <= Int64(Self.largestTail) else {
                throw MediaError(
                    .resourceLimit, "the movie's index is larger than \(Self.largestTail >> 20) MiB",
                    hint: "write a Matroska file instead", input: output.sink.name)
            }
            Self.place(rest, at: Int(position - mediaEnd), in: &tail)
        }
    }

    /// Looks into the head again if the muxer has changed it: the media's size is written when it is complete.
    private func upToDate(_ old: MovieHead) throws -> MovieHead {
        guard headIsDirty else { return old }
        headIsDirty = false
        guard case .media(let new) = MovieHead.find(in: head), new.insertion == old.insertion,
            new.mediaStart == old.mediaStart,
            let mediaEnd = new.mediaEnd, mediaEnd + Int64(room) >= output.size
        else { throw unexpected("it changed its header into one that does not fit what follows") }
        // The media went on behind what was taken for its end.
        let more = Int(min(Int64(tail.count), mediaEnd + Int64(room) - output.size))
        try output.write(tail[..<more], at: output.size)
        tail.removeFirst(more)
        layout = .movie(new)
        return new
    }

    private static func place(_ bytes: UnsafeRawBufferPointer, at offset: Int, in array: inout [UInt8]) {
        if offset > array.count { array.append(contentsOf: repeatElement(0, count: offset - array.count)) }
        let overwritten = min(bytes.count, array.count - offset)
        if overwritten > 0 {
            array.withUnsafeMutableBytes {
                UnsafeMutableRawBufferPointer(rebasing: $0[offset..<offset + overwritten])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<overwritten]))
            }
        }
        array.append(contentsOf: bytes[overwritten...])
    }

    func unexpected(_ what: String) -> MediaError {
        MediaError(
            .internal, "the movie cannot be completed: the muxer did what was not expected, \(what)",
            input: output.sink.name)
    }

    // MARK: Finishing

    func finish() throws -> [String] {
        switch layout {
        case .direct:
            return []
        case .unknown:
            layout = .direct
            try output.write(head, at: 0)
            return []
        case .movie(let movie):
            let movie = try upToDate(movie)
            guard let mediaEnd = movie.mediaEnd, mediaEnd + Int64(room) == output.size else {
                throw unexpected("it ended without its index or in the middle of the media")
            }
            layout = .direct
            defer { tail = [] }
            return try MovieIndexPlacement(output: output, head: movie, room: room).place(tail: tail)
        }
    }
}
