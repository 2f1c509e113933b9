import ByteIO
import Testing

@testable import MediaKit

@Suite("Boxes of a movie")
struct MovieBoxTests {
    @Test func `are written again just as they were read`() throws {
        // QuickTime closes some lists with four zeros.
        var bytes = TestMovie.file() + TestMovie.box("moov", TestMovie.box("mvhd", [1]) + [0, 0, 0, 0])
        bytes += [1, 2, 3]
        let (boxes, trailing) = try MovieBox.read(bytes[...])
        #expect(boxes.map(\.type.description) == ["ftyp", "free", "mdat", "moov", "moov"])
        #expect(trailing == [1, 2, 3])
        var written: [UInt8] = []
        for box in boxes { box.append(to: &written) }
        #expect(written + trailing == bytes)
        #expect(boxes.reduce(0) { $0 + $1.size } + 3 == bytes.count)
    }

    @Test func `may have 64-bit sizes, or go on to the end`() throws {
        let wide = TestMovie.bigEndian(1, 4) + Array("abcd".utf8) + TestMovie.bigEndian(18, 8) + [5, 6]
        let last = TestMovie.bigEndian(0, 4) + Array("wxyz".utf8) + [7, 8, 9]
        let (boxes, _) = try MovieBox.read((wide + last)[...])
        #expect(boxes.map(\.payloadSize) == [2, 3])
    }

    @Test(
        "with impossible sizes are errors",
        arguments: [
            [0, 0, 0, 7, 1, 1, 1, 1], [0, 0, 0, 9, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1, 1, 1, 0, 0],
            [0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 15],
            [0, 0, 0, 1, 1, 1, 1, 1] + [UInt8](repeating: 255, count: 8),
            TestMovie.box("moov", TestMovie.box("trak", [0, 0, 0, 99, 1, 1, 1, 1])),
        ] as [[UInt8]])
    func impossible(bytes: [UInt8]) {
        #expect(throws: MovieBox.Malformed.self) { try MovieBox.read(bytes[...]) }
    }

    @Test func `nested or repeated without end are read in bounded depth and number`() throws {
        var nested: [UInt8] = []
        for _ in 0..<2000 { nested = TestMovie.box("moov", TestMovie.box("trak", nested)) }
        #expect(try MovieBox.read(nested[...]).boxes.count == 1)
        let empty = TestMovie.box("free", [])
        let many = TestMovie.box("moov", Array(repeatElement(empty, count: MovieBox.boxLimit).joined()))
        #expect(throws: MovieBox.Malformed.self) { try MovieBox.read(many[...]) }
    }

    @Test func `whose chunk table is longer than they are, or holds offsets of other kinds, are refused`() throws {
        for table in [
            TestMovie.box("stco", [0, 0, 0, 0, 0, 0, 0, 2, 1, 1, 1, 1]), TestMovie.box("stco", []),
            TestMovie.box("co64", [0, 0, 0, 0, 255, 255, 255, 255, 0]), TestMovie.box("saio", []),
        ] {
            let names = ["stbl", "minf", "mdia", "trak", "moov"]
            let bytes = names.reduce(table) { TestMovie.box($1, $0) }
            let box = try #require(try MovieBox.read(bytes[...]).boxes.first)
            #expect(throws: MovieBox.Malformed.self) { try MovieIndex(box, insertion: 0) }
        }
    }

    @Test func `hold offsets of which only those behind the insertion are moved`() throws {
        let bytes = TestMovie.index([[0, 31, 32, 5000]])
        let box = try #require(try MovieBox.read(bytes[...]).boxes.first)
        let moved = try MovieIndex(box, insertion: 32).encoded(shift: 100)
        #expect(TestBoxes.chunkOffsets(moved) == [[0, 31, 132, 5100]])
        let wide = try #require(try MovieBox.read(TestMovie.index([[-1]], wide: true)[...]).boxes.first)
        #expect(throws: MovieBox.Malformed.self) { try MovieIndex(wide, insertion: 32).encoded(shift: 100) }
    }

    @Test func `damaged at random end in an error or a file, never in a crash`() throws {
        var random = SplitMix(state: 20_240_607)
        let file = TestMovie.file(media: 600)
        var completed = 0
        var refused = 0
        for _ in 0..<4000 {
            var bytes = file
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[Int.random(in: bytes.indices, using: &random)] = .random(in: 0...255, using: &random)
                case 1:
                    bytes[Int.random(in: bytes.indices, using: &random)] =
                        [0, 1, 7, 8, 255].randomElement(using: &random) ?? 0
                case 2: bytes.removeSubrange(Int.random(in: bytes.indices, using: &random)...)
                default:
                    let start = Int.random(in: bytes.indices, using: &random)
                    let end = Int.random(in: start..<bytes.count, using: &random)
                    bytes.insert(contentsOf: bytes[start..<end], at: start)
                }
                if bytes.isEmpty { bytes = [0] }
            }
            let sink = MemorySink()
            let output = ProgressiveMovieOutput(sink, reservedIndexBytes: 1500)
            var muxer = FakeMuxer(output)
            do {
                try muxer.write(bytes, flush: Int.random(in: 1...500, using: &random))
                _ = try output.finish()
                completed += 1
            } catch is MediaError {
                refused += 1
            }
        }
        #expect(completed > 0)
        #expect(refused > 0)
    }
}

/// Random numbers that are the same in each run (Steele, Lea and Flood 2014, SplitMix64).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
