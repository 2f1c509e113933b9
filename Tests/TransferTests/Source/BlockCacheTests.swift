import Testing

@testable import Transfer

@Suite struct BlockCacheTests {
    private static let mebi: Int64 = 1 << 20

    private func cache(_ length: Int64 = 100 << 20) -> BlockCache {
        BlockCache(length: length, options: RangeSourceOptions(blockSize: 1 << 20, cachedBlocks: 4))
    }

    private func wishes(_ fetch: [Range<Int64>], limit: Int = 3) -> ReadAhead.Wishes {
        ReadAhead.Wishes(fetch: fetch, keep: fetch, limit: limit)
    }

    private func copy(_ cache: inout BlockCache, _ count: Int, at offset: Int64) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let copied = bytes.withUnsafeMutableBytes { cache.copy(at: offset, into: $0) }
        return Array(bytes[..<copied])
    }

    @Test func `a block can be read from its first byte on`() throws {
        var cache = cache()
        let id = try #require(cache.apply(wishes([0..<10]), waitingAt: 0).fetch.first?.id)
        #expect(copy(&cache, 10, at: 0) == [])
        #expect(try cache.receive([1, 2, 3], for: id) == 0..<3)
        #expect(copy(&cache, 10, at: 1) == [2, 3])
        #expect(copy(&cache, 10, at: 3) == [])
        #expect(try cache.receive([4, 5, 6, 7, 8, 9, 10], for: id) == 3..<10)
        #expect(cache.stop(id) == nil)
        #expect(copy(&cache, 10, at: 8) == [9, 10])
    }

    @Test func `what came of a block that broke is kept`() throws {
        var cache = cache()
        let id = try #require(cache.apply(wishes([100..<200]), waitingAt: 100).fetch.first?.id)
        _ = try cache.receive([1, 2, 3], for: id)
        #expect(cache.stop(id) == 103..<200)
        #expect(cache.coveredEnd(from: 100) == 103)
        #expect(cache.reserved == 3)
        // Nobody wants what still comes.
        #expect(try cache.receive([4], for: id) == nil)
    }

    @Test func `more than was asked for is an error`() throws {
        var cache = cache()
        let id = try #require(cache.apply(wishes([0..<2]), waitingAt: 0).fetch.first?.id)
        #expect(throws: TransferError.self) { try cache.receive([1, 2, 3], for: id) }
    }

    @Test func `what nobody wishes for any more is cancelled`() throws {
        var cache = cache()
        let first = cache.apply(wishes([0..<Self.mebi, Self.mebi..<2 * Self.mebi]), waitingAt: 0)
        #expect(first.fetch.count == 2)
        let second = cache.apply(wishes([50 * Self.mebi..<51 * Self.mebi]), waitingAt: 50 * Self.mebi)
        #expect(Set(second.cancel) == Set(first.fetch.map(\.id)))
        #expect(cache.reserved == Self.mebi)
    }

    @Test func `the oldest goes first, and the object's end never`() throws {
        var cache = cache()
        func load(_ block: Int64) throws {
            let range = block * Self.mebi..<(block + 1) * Self.mebi
            for (id, range) in cache.apply(wishes([range]), waitingAt: range.lowerBound).fetch {
                _ = try cache.receive([UInt8](repeating: 1, count: range.count), for: id)
                cache.stop(id)
            }
        }
        for block in [99, 1, 2, 3] { try load(Int64(block)) }
        _ = copy(&cache, 1, at: 1 * Self.mebi)
        try load(4)
        #expect(cache.blocks.map { $0.start / Self.mebi } == [1, 3, 4, 99])
        #expect(cache.reserved == 4 * Self.mebi)
    }

    @Test func `a reader who waits gets room, others do not`() throws {
        var cache = cache()
        let ahead = (0..<4).map { Int64($0) * Self.mebi..<Int64($0 + 1) * Self.mebi }
        #expect(cache.apply(wishes(ahead, limit: 9), waitingAt: 0).fetch.count == 4)
        let more = 4 * Self.mebi..<5 * Self.mebi
        var wishes = wishes(ahead + [more], limit: 9)
        wishes.fetch = [more]
        #expect(cache.apply(wishes, waitingAt: nil).fetch.isEmpty)
        let changes = cache.apply(wishes, waitingAt: more.lowerBound)
        #expect(changes.fetch.map(\.range) == [more])
        #expect(changes.cancel.count == 1)
        #expect(cache.reserved == 4 * Self.mebi)
    }

    @Test func `no more requests at a time than allowed`() {
        var cache = cache()
        let pieces = (0..<9).map { Int64($0) * 1000..<Int64($0) * 1000 + 500 }
        #expect(cache.apply(wishes(pieces, limit: 3), waitingAt: nil).fetch.count == 3)
        #expect(cache.apply(wishes(pieces, limit: 3), waitingAt: nil).fetch.isEmpty)
    }

    @Test func `Of a crowd of pieces, small ones go before the large one that was read first`() throws {
        var cache = cache()
        func load(_ range: Range<Int64>) throws {
            for (id, range) in cache.apply(wishes([range]), waitingAt: range.lowerBound).fetch {
                _ = try cache.receive([UInt8](repeating: 1, count: range.count), for: id)
                cache.stop(id)
            }
        }
        try load(0..<Self.mebi)
        for piece in 1..<1000 { try load(Self.mebi + Int64(piece) * 2000..<Self.mebi + Int64(piece) * 2000 + 400) }
        #expect(copy(&cache, 1, at: 0) == [1])
        #expect(cache.blocks.count < 300)
    }
}
