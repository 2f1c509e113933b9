import MediaKit
import TestSupport
import Testing
import TransferTestSupport

extension Streaming {
    /// More than 32 bits can count.
    @Suite(.timeLimit(.minutes(15))) struct LargeOutputTests {
        /// Sound of 192 kHz in eight channels, the same in each stretch of 4096 bytes, for as long as it takes to fill
        /// 4.2 GiB; in RF64 (EBU Tech 3306).
        private struct LongSound: Sendable {
            static let bytesPerSecond: Int64 = 192_000 * 16
            let seconds: Int64
            private let head: [UInt8]
            private let stretch: [UInt8]

            init(seconds: Int64) {
                self.seconds = seconds
                let count = seconds * Self.bytesPerSecond
                stretch = (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 >> 6) }
                func little(_ value: Int64, _ width: Int) -> [UInt8] {
                    (0..<width).map { UInt8(truncatingIfNeeded: value >> Int64(8 * $0)) }
                }
                var head = Array("RF64".utf8) + little(0xFFFF_FFFF, 4) + Array("WAVEds64".utf8) + little(28, 4)
                head += little(count + 72, 8) + little(count, 8) + little(count / 16, 8) + little(0, 4)
                head += Array("fmt ".utf8) + little(16, 4) + little(1, 2) + little(8, 2) + little(192_000, 4)
                head += little(Self.bytesPerSecond, 4) + little(16, 2) + little(16, 2)
                head += Array("data".utf8) + little(0xFFFF_FFFF, 4)
                self.head = head
            }

            var size: Int64 { Int64(head.count) + seconds * Self.bytesPerSecond }

            func bytes(_ range: Range<Int64>) -> [UInt8] {
                var bytes: [UInt8] = []
                bytes.reserveCapacity(range.count)
                var offset = range.lowerBound
                if offset < head.count {
                    let end = min(Int64(head.count), range.upperBound)
                    bytes += head[Int(offset)..<Int(end)]
                    offset = end
                }
                while offset < range.upperBound {
                    let start = Int((offset - Int64(head.count)) % 4096)
                    let count = min(4096 - start, Int(range.upperBound - offset))
                    bytes += stretch[start..<start + count]
                    offset += Int64(count)
                }
                return bytes
            }

            /// The samples from a second on.
            func samples(from second: Int64, count: Int) -> [UInt8] {
                let start = Int64(head.count) + second * Self.bytesPerSecond
                return bytes(start..<start + Int64(count))
            }
        }

        @Test(.enabled(if: Streaming.isSoak, "takes minutes: scripts/transfer-soak"))
        func `A movie of more than 4 GiB has its index in front, with offsets of 64 bits`() async throws {
            let bench = try StreamingBench(partSize: 16 << 20)
            let sound = LongSound(seconds: 1468)
            bench.server["sound.wav"] = S3Object(.made(size: sound.size) { sound.bytes($0) })
            let made = try await bench.engine.run(
                Transcode(input: bench.location("sound.wav"), output: bench.location("out.mov")))
            #expect(made.warnings.isEmpty && made.streams.first?.copied == true)
            let movie = try #require(bench.server["out.mov"])
            #expect(movie.size > 1 << 32)
            print("\(movie.size >> 20) MiB in \(bench.server.requests(.uploadPart).count) parts")

            // The index comes second, and counts with 64 bits.
            let head = movie.slice(0..<4 << 20)
            let fileType = head[..<4].reduce(0) { $0 << 8 | Int($1) }
            #expect(Array(head[fileType + 4..<fileType + 8]) == Array("moov".utf8))
            #expect(head.firstRange(of: Array("co64".utf8)) != nil && head.firstRange(of: Array("stco".utf8)) == nil)
            // What lies behind 4 GiB is what it was.
            _ = try await bench.engine.run(
                ExtractAudio(
                    input: bench.location("out.mov"), output: bench.scratch("end.wav"),
                    audio: AudioSettings(codec: .pcm), start: 1460, end: 1461))
            let end = bench.scratch.bytes("end.wav")
            let expected = sound.samples(from: 1460, count: Int(LongSound.bytesPerSecond))
            #expect(difference(Array(end.suffix(expected.count)), expected) == nil)
        }
    }
}
