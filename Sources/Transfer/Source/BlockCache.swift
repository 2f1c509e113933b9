/// The stretches of an object that are in memory or on their way there. A pure state machine: it decides what to
/// fetch, cancel and forget within its bounds, and leaves the doing to others.
///
/// A block is usable from its first byte on, as far as it has come. One that was stopped keeps what came.
struct BlockCache {
    struct Block {
        let id: Int
        let start: Int64
        var bytes: [UInt8]
        /// Where it ends when it is complete, or ends now if nothing more comes.
        var end: Int64
        var isLoading: Bool
        fileprivate var lastUse: Int

        /// Where what is there ends.
        var filled: Int64 { start + Int64(bytes.count) }
        fileprivate var isEmpty: Bool { start == end }
    }

    /// What is to be done.
    struct Changes {
        var fetch: [(id: Int, range: Range<Int64>)] = []
        var cancel: [Int] = []
    }

    /// Bytes of all blocks, those on their way counted as if they were there.
    let capacity: Int64
    let blockSize: Int64
    /// Of the object.
    let length: Int64
    /// More blocks than that are too many to search, however small.
    private static let mostBlocks = 256
    /// In order, not empty, not overlapping.
    private(set) var blocks: [Block] = []
    private var clock = 0
    private var lastID = 0

    init(length: Int64, options: RangeSourceOptions) {
        self.length = length
        blockSize = Int64(options.blockSize)
        capacity = blockSize * Int64(options.cachedBlocks)
    }

    // MARK: Looking

    /// Bytes that are taken, those on their way included.
    var reserved: Int64 { blocks.reduce(0) { $0 + ($1.end - $1.start) } }
    var loading: Int { blocks.count { $0.isLoading } }

    /// The block that `offset` belongs to.
    private func index(at offset: Int64) -> Int? {
        let index = firstIndex(endingAfter: offset)
        return index < blocks.count && blocks[index].start <= offset ? index : nil
    }

    private func firstIndex(endingAfter offset: Int64) -> Int { blocks.partitionPoint(where: { $0.end > offset }) }

    private func index(of id: Int) -> Int? { blocks.firstIndex { $0.id == id } }

    /// The end of the block that `offset` belongs to; `offset` if there is none.
    func coveredEnd(from offset: Int64) -> Int64 { index(at: offset).map { blocks[$0].end } ?? offset }

    /// Where the next block behind `offset` begins; the object's end if there is none.
    func nextStart(after offset: Int64) -> Int64 {
        let index = firstIndex(endingAfter: offset)
        return index < blocks.count ? max(offset, blocks[index].start) : length
    }

    /// Where what came of a block that is still wanted ends.
    func filled(_ id: Int) -> Int64? {
        guard let index = index(of: id), blocks[index].isLoading else { return nil }
        return blocks[index].filled
    }

    // MARK: Reading

    /// Copies what is there at `offset`, as far as one block goes.
    ///
    /// - Returns: the count of bytes; 0 if the first is not there.
    mutating func copy(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let index = index(at: offset), blocks[index].filled > offset else { return 0 }
        clock += 1
        blocks[index].lastUse = clock
        let start = Int(offset - blocks[index].start)
        let count = min(buffer.count, blocks[index].bytes.count - start)
        blocks[index].bytes.withUnsafeBytes {
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<start + count]))
        }
        return count
    }

    // MARK: Deciding

    /// Puts in what came by itself.
    mutating func insert(_ bytes: [UInt8], at start: Int64) {
        guard !bytes.isEmpty, index(at: start) == nil else { return }
        add(start..<start + Int64(bytes.count), bytes: bytes, isLoading: false)
    }

    /// Does as a reader wishes, as far as there is room.
    ///
    /// - Parameter offset: where the reader waits, if it does: there is room for that.
    mutating func apply(_ wishes: ReadAhead.Wishes, waitingAt offset: Int64?) -> Changes {
        var changes = Changes()
        for block in blocks where block.isLoading {
            let rest = block.filled..<block.end
            if !wishes.keep.contains(where: { $0.overlaps(rest) }) { cancel(block.id, &changes) }
        }
        for range in wishes.fetch {
            let isUrgent = offset.map(range.contains) ?? false
            guard isUrgent || loading < wishes.limit,
                makeRoom(for: Int64(range.count), keeping: wishes.keep, isUrgent: isUrgent, &changes)
            else { break }
            changes.fetch.append((add(range, bytes: [], isLoading: true), range))
        }
        return changes
    }

    @discardableResult
    private mutating func add(_ range: Range<Int64>, bytes: [UInt8], isLoading: Bool) -> Int {
        clock += 1
        lastID += 1
        blocks.insert(
            Block(
                id: lastID, start: range.lowerBound, bytes: bytes, end: range.upperBound, isLoading: isLoading,
                lastUse: clock), at: firstIndex(endingAfter: range.lowerBound))
        return lastID
    }

    /// Forgets what was not used for longest: first what nobody wishes for, then, for a reader who waits, anything.
    private mutating func makeRoom(
        for count: Int64, keeping keep: [Range<Int64>], isUrgent: Bool, _ changes: inout Changes
    ) -> Bool {
        func isTight() -> Bool { reserved + count > capacity || blocks.count >= Self.mostBlocks }
        guard isTight() else { return true }
        // Many small ones are forgotten before one that would cost more to fetch again.
        let isCrowded = blocks.count >= Self.mostBlocks
        let old = blocks.filter { !$0.isLoading && !isTail($0) }.sorted {
            let (left, right) = isCrowded ? (sizeClass($0), sizeClass($1)) : (0, 0)
            return (left, $0.lastUse) < (right, $1.lastUse)
        }
        func isKept(_ block: Block) -> Bool { keep.contains { $0.overlaps(block.start..<block.end) } }
        for block in old where !isKept(block) {
            remove(block.id)
            if !isTight() { return true }
        }
        guard isUrgent else { return false }
        for block in blocks.reversed() where block.isLoading {
            cancel(block.id, &changes)
            remove(block.id)
            if !isTight() { return true }
        }
        for block in old {
            remove(block.id)
            if !isTight() { return true }
        }
        return false
    }

    private func sizeClass(_ block: Block) -> Int { block.end - block.start < ReadAhead.firstFetch ? 0 : 1 }

    /// The end of the object, where an MP4 may have its index, is kept.
    private func isTail(_ block: Block) -> Bool { block.end == length && block.start >= length - blockSize }

    private mutating func remove(_ id: Int) {
        if let index = index(of: id) { blocks.remove(at: index) }
    }

    private mutating func cancel(_ id: Int, _ changes: inout Changes) {
        stop(id)
        changes.cancel.append(id)
    }

    // MARK: Loading

    /// Takes in what came for a block.
    ///
    /// - Returns: which bytes these are; `nil` if nobody wants them any more.
    /// - Throws: ``TransferError`` if they are more than were asked for.
    mutating func receive(_ chunk: [UInt8], for id: Int) throws(TransferError) -> Range<Int64>? {
        guard let index = index(of: id), blocks[index].isLoading else { return nil }
        let start = blocks[index].filled
        guard Int64(chunk.count) <= blocks[index].end - start else {
            throw TransferError(.badResponse, "more bytes came than were asked for", isRetryable: false)
        }
        if blocks[index].bytes.isEmpty {
            blocks[index].bytes.reserveCapacity(Int(blocks[index].end - blocks[index].start))
        }
        blocks[index].bytes += chunk
        return start..<start + Int64(chunk.count)
    }

    /// Nothing more comes for a block: it is complete, was cancelled, or failed.
    ///
    /// - Returns: which bytes are missing, if any.
    @discardableResult
    mutating func stop(_ id: Int) -> Range<Int64>? {
        guard let index = index(of: id), blocks[index].isLoading else { return nil }
        let missing = blocks[index].filled..<blocks[index].end
        blocks[index].isLoading = false
        blocks[index].end = blocks[index].filled
        if blocks[index].isEmpty { blocks.remove(at: index) }
        return missing.isEmpty ? nil : missing
    }
}
