import Testing

@testable import Transfer

@Suite struct SequentialReplayTests {
    private func read(_ replay: inout SequentialReplay, _ count: Int, at offset: Int64) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        let step = bytes.withUnsafeMutableBytes { replay.read(at: offset, into: $0) }
        guard case .copied(let copied) = step else { return nil }
        return Array(bytes[..<copied])
    }

    @Test func `a reader goes forward and a little back`() {
        var replay = SequentialReplay(replayBytes: 4, aheadBytes: 100)
        replay.append([0, 1, 2, 3, 4, 5])
        #expect(read(&replay, 4, at: 0) == [0, 1, 2, 3])
        #expect(read(&replay, 4, at: 2) == [2, 3, 4, 5])
        #expect(read(&replay, 4, at: 6) == nil)
        replay.append([6])
        #expect(read(&replay, 4, at: 6) == [6])
    }

    @Test func `what is too far back is gone`() {
        var replay = SequentialReplay(replayBytes: 1 << 20, aheadBytes: 1 << 20)
        let chunk = [UInt8](repeating: 7, count: 100_000)
        for index in 0..<30 {
            replay.append(chunk)
            #expect(read(&replay, 100_000, at: Int64(index) * 100_000)?.count == 100_000)
        }
        var byte: UInt8 = 0
        #expect(withUnsafeMutableBytes(of: &byte) { replay.read(at: 0, into: $0) } == .gone)
        #expect(read(&replay, 1, at: 3_000_000 - (1 << 20)) == [7])
        #expect(replay.held <= 1 << 20 + 100_000)
    }

    @Test func `the stream waits for a slow reader, and not for one who skips`() {
        var replay = SequentialReplay(replayBytes: 10, aheadBytes: 10)
        replay.append([UInt8](repeating: 1, count: 10))
        #expect(!replay.hasRoom)
        #expect(read(&replay, 1, at: 1000) == nil)
        for _ in 0..<200 where replay.hasRoom { replay.append([UInt8](repeating: 2, count: 10)) }
        #expect(replay.end == 1010)
        #expect(read(&replay, 3, at: 1000) == [2, 2, 2])
        #expect(replay.held <= 64 << 10)
    }

    @Test func `nothing is kept where nothing is to be`() {
        var replay = SequentialReplay(replayBytes: 0, aheadBytes: 10)
        replay.append([1, 2, 3])
        #expect(read(&replay, 3, at: 0) == [1, 2, 3])
        #expect(replay.held == 0)
        var byte: UInt8 = 0
        #expect(withUnsafeMutableBytes(of: &byte) { replay.read(at: 1, into: $0) } == .gone)
        #expect(withUnsafeMutableBytes(of: &byte) { replay.read(at: 3, into: $0) } == .wait)
    }
}
