import Testing

@testable import Transfer

/// A reader with its cache, without a network: what is asked for comes at once, or not at all.
struct ReadAheadSimulation {
    static let mebi: Int64 = 1 << 20
    var ahead: ReadAhead
    var cache: BlockCache
    var fetched: [Range<Int64>] = []
    var cancelled: [Int] = []
    var most: Int64 = 0
    var mostLoading = 0

    init(length: Int64, options: RangeSourceOptions = RangeSourceOptions(blockSize: 1 << 20)) {
        ahead = ReadAhead(length: length, options: options)
        cache = BlockCache(length: length, options: options)
    }

    /// Reads at one place, as `RangeReader` does.
    ///
    /// - Parameter arrives: whether what is fetched ahead comes, too.
    /// - Returns: how many bytes came.
    @discardableResult
    mutating func read(_ count: Int, at offset: Int64, arrives: Bool = true) throws -> Int {
        var buffer = [UInt8](repeating: 0, count: count)
        ahead.move(to: offset)
        for _ in 0..<3 {
            let copied = buffer.withUnsafeMutableBytes { cache.copy(at: offset, into: $0) }
            ahead.advance(by: copied)
            let waiting = copied == 0 ? offset : nil
            let changes = cache.apply(
                ahead.wishes(waitingFor: copied == 0 ? count : 0, in: cache), waitingAt: waiting)
            cancelled += changes.cancel
            fetched += changes.fetch.map(\.range)
            most = max(most, cache.reserved)
            mostLoading = max(mostLoading, cache.loading)
            for block in cache.blocks where block.isLoading {
                let isNeeded = waiting.map { $0 >= block.start && $0 < block.end } ?? false
                guard isNeeded || arrives && changes.fetch.contains(where: { $0.id == block.id }) else { continue }
                let missing = Int(block.end - block.filled)
                _ = try cache.receive([UInt8](repeating: 1, count: missing), for: block.id)
                cache.stop(block.id)
            }
            if copied > 0 { return copied }
        }
        return 0
    }

    mutating func readOn(from start: Int64, to end: Int64, arrives: Bool = true) throws {
        var position = start
        while position < end {
            let count = try read(32 << 10, at: position, arrives: arrives)
            try #require(count > 0)
            position += Int64(count)
        }
    }
}

@Suite struct ReadAheadTests {
    private static let mebi: Int64 = 1 << 20

    @Test func `a jump costs a small request, and reading on gets blocks`() throws {
        var simulation = ReadAheadSimulation(length: 100 * Self.mebi)
        try simulation.read(32 << 10, at: 50 * Self.mebi)
        #expect(simulation.fetched == [50 * Self.mebi..<50 * Self.mebi + ReadAhead.firstFetch])
        try simulation.readOn(from: 50 * Self.mebi, to: 60 * Self.mebi)
        // In order, without gaps or repeats, and then by whole blocks.
        #expect(zip(simulation.fetched, simulation.fetched.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
        #expect(simulation.fetched.suffix(5).allSatisfy { $0.count == 1 << 20 && $0.lowerBound % Self.mebi == 0 })
        #expect(simulation.fetched.count < 20)
    }

    @Test func `as many blocks ahead as allowed, and no more at a time`() throws {
        for depth in 1...4 {
            var simulation = ReadAheadSimulation(
                length: 100 * Self.mebi, options: RangeSourceOptions(blockSize: 1 << 20, prefetch: depth))
            try simulation.readOn(from: 0, to: 20 * Self.mebi)
            let end = try #require(simulation.fetched.last?.upperBound)
            #expect(end - 20 * Self.mebi > Int64(depth - 1) * Self.mebi)
            #expect(end - 20 * Self.mebi <= Int64(depth) * Self.mebi)
            #expect(simulation.mostLoading <= depth + 1)
        }
    }

    @Test func `nothing ahead where nothing is wanted ahead`() throws {
        var simulation = ReadAheadSimulation(
            length: 10 * Self.mebi, options: RangeSourceOptions(blockSize: 1 << 20, prefetch: 0))
        try simulation.readOn(from: 0, to: 4 * Self.mebi)
        #expect(simulation.fetched.last?.upperBound == 4 * Self.mebi)
        #expect(simulation.mostLoading == 1)
    }

    @Test func `a jump cancels what was fetched ahead`() throws {
        var simulation = ReadAheadSimulation(length: 100 * Self.mebi)
        try simulation.readOn(from: 0, to: 2 * Self.mebi)
        // From here on, what is fetched ahead is on its way.
        try simulation.readOn(from: 2 * Self.mebi, to: 3 * Self.mebi, arrives: false)
        #expect(simulation.cache.loading > 0)
        #expect(simulation.cancelled.isEmpty)
        try simulation.read(32 << 10, at: 90 * Self.mebi)
        #expect(simulation.cache.loading == 0)
        #expect(!simulation.cancelled.isEmpty)
    }

    @Test func `someone who reads in two places in turn keeps both`() throws {
        var simulation = ReadAheadSimulation(length: 400 * Self.mebi)
        var pictures: Int64 = 0
        var sound = 200 * Self.mebi
        for _ in 0..<8 {
            try simulation.readOn(from: pictures, to: pictures + Self.mebi)
            try simulation.readOn(from: sound, to: sound + Self.mebi / 8)
            pictures += Self.mebi
            sound += Self.mebi / 8
        }
        // Nothing was fetched twice.
        let total = simulation.fetched.reduce(0) { $0 + Int64($1.count) }
        let sorted = simulation.fetched.sorted { $0.lowerBound < $1.lowerBound }
        #expect(zip(sorted, sorted.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound })
        #expect(total <= 9 * Self.mebi + 8 * Self.mebi)
    }

    @Test func `the end of the object is remembered`() throws {
        let length = 200 * Self.mebi + 12_345
        var simulation = ReadAheadSimulation(length: length)
        try simulation.read(8, at: 0)
        try simulation.read(32 << 10, at: length - 40_000)
        let tail = try #require(simulation.fetched.last)
        #expect(tail.upperBound == length)
        try simulation.readOn(from: 0, to: 40 * Self.mebi)
        let before = simulation.fetched.count
        try simulation.read(32 << 10, at: length - 40_000)
        #expect(simulation.fetched.count == before)
    }

    @Test func `memory is bounded, whatever is read`() throws {
        var generator = SplitMix(seed: 7)
        for prefetch in [0, 1, 3, 4] {
            let options = RangeSourceOptions(blockSize: 1 << 20, cachedBlocks: 4, prefetch: prefetch)
            let length: Int64 = 60 * Self.mebi + 77
            var simulation = ReadAheadSimulation(length: length, options: options)
            for _ in 0..<400 {
                let start = Int64.random(in: 0..<length, using: &generator)
                let end = min(length, start + Int64.random(in: 1...3_000_000, using: &generator))
                try simulation.readOn(from: start, to: end, arrives: Bool.random(using: &generator))
            }
            #expect(simulation.most <= 4 * Self.mebi)
            #expect(simulation.mostLoading <= prefetch + 2)
        }
    }

    @Test func `a plan is followed, and nothing else fetched`() throws {
        let length = 100 * Self.mebi
        let pieces = (0..<50).map { Int64($0) * 2 * Self.mebi + 5000..<Int64($0) * 2 * Self.mebi + 9000 }
        var simulation = ReadAheadSimulation(length: length)
        simulation.ahead.plan = RangePlan(pieces)
        for piece in pieces {
            // As packets are read: exactly what there is of them.
            for part in 0..<4 { try simulation.read(1000, at: piece.lowerBound + Int64(part) * 1000) }
        }
        #expect(simulation.fetched == pieces)
        #expect(simulation.mostLoading <= 24)
        // What is not in the plan can be read, too.
        try simulation.read(100, at: 1_000_000)
        #expect(simulation.fetched.last.map { $0.lowerBound == 1_000_000 && $0.count <= 16 << 10 } == true)
    }
}

/// Random numbers that are the same each time. https://prng.di.unimi.it/splitmix64.c
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
