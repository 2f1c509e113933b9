/// What is kept of a stream that cannot be asked for again: the last bytes that were read, and the next ones. A pure
/// state machine.
struct SequentialReplay {
    enum Step: Equatable {
        case copied(Int)
        /// It is still to come.
        case wait
        /// It was there and is not kept any more.
        case gone
    }

    /// How far back a reader may go, in bytes.
    let replayBytes: Int64
    /// How far ahead of the reader the stream runs, in bytes.
    let aheadBytes: Int64
    private var chunks: [(start: Int64, bytes: [UInt8])] = []
    /// What of `chunks` is still kept begins there; those before are taken away now and then.
    private var firstChunk = 0
    /// Where what came ends.
    private(set) var end: Int64 = 0
    private var reader: Int64 = 0
    private var furthest: Int64 = 0

    init(replayBytes: Int64, aheadBytes: Int64) {
        self.replayBytes = replayBytes
        self.aheadBytes = aheadBytes
    }

    /// Whether more of the stream is wanted now. A reader who is ahead of it skips what comes.
    var hasRoom: Bool { end - reader < aheadBytes }
    /// Where what is kept begins.
    private var start: Int64 { firstChunk < chunks.count ? chunks[firstChunk].start : end }
    /// Bytes in memory.
    var held: Int64 { chunks[firstChunk...].reduce(0) { $0 + Int64($1.bytes.count) } }

    mutating func append(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        if let last = chunks.indices.last, last >= firstChunk, chunks[last].bytes.count + bytes.count <= 64 << 10 {
            chunks[last].bytes += bytes
        } else {
            chunks.append((end, bytes))
        }
        end += Int64(bytes.count)
        trim()
    }

    mutating func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) -> Step {
        guard offset >= start else { return .gone }
        reader = offset
        furthest = max(furthest, offset)
        guard offset < end else {
            trim()
            return .wait
        }
        let index = index(at: offset)
        let start = Int(offset - chunks[index].start)
        let count = min(buffer.count, chunks[index].bytes.count - start)
        chunks[index].bytes.withUnsafeBytes {
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<start + count]))
        }
        reader = offset + Int64(count)
        furthest = max(furthest, reader)
        trim()
        return .copied(count)
    }

    /// `offset` lies within what is kept.
    private func index(at offset: Int64) -> Int {
        var low = firstChunk
        var high = chunks.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if chunks[middle].start <= offset { low = middle } else { high = middle - 1 }
        }
        return low
    }

    private mutating func trim() {
        while firstChunk < chunks.count,
            chunks[firstChunk].start + Int64(chunks[firstChunk].bytes.count) <= min(furthest, end) - replayBytes
        {
            chunks[firstChunk].bytes = []
            firstChunk += 1
        }
        if firstChunk > 64, firstChunk * 2 > chunks.count {
            chunks.removeFirst(firstChunk)
            firstChunk = 0
        }
    }
}
