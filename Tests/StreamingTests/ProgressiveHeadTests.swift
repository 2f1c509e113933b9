import MediaKit
import TestSupport
import Testing
import TransferTestSupport

extension Streaming {
    /// What a container says at its start about what follows is right, though its first part is sent last and the rest is
    /// long gone: an index, sizes, counts, checksums.
    @Suite(.timeLimit(.minutes(3))) struct ProgressiveHeadTests {
        private static let partSize = 64 << 10

        /// Ten seconds.
        private static let film = RawMovie(width: 160, height: 96, frames: 250, grain: 90)
        private static let clip = Work.Clip.made("film.mkv") { film.bytes }

        /// The film as a container's file: made through a store and through files.
        private func make(_ output: String) async throws -> (store: [UInt8], files: [UInt8], path: String) {
            let bench = try StreamingBench(partSize: Self.partSize)
            let isSound = ["m4a", "wav", "flac", "mp3"].contains { output.hasSuffix($0) }
            let work = Work(Self.clip, to: output) { places in
                var video = VideoSettings(codec: .h264, crf: 18, preset: "ultrafast")
                if output.hasSuffix(".webm") { video = VideoSettings(codec: .vp9, crf: 20, preset: "ultrafast") }
                if isSound { video = VideoSettings() }
                return .transcode(
                    Transcode(
                        input: places.input, output: places.output, video: video, bitexact: true, threads: 2))
            }
            try await bench.provide(work)
            let throughFiles = try await bench.runThroughFiles(work)
            let throughStore = try await bench.runThroughStore(work)
            #expect(try throughStore.essence == throughFiles.essence)
            let bytes = try #require(bench.server.bytes("out/\(output)"))
            // The first part was sent when all others were there.
            let parts = bench.server.requests(.uploadPart)
            #expect(parts.count >= 2 && parts.count == (bytes.count - 1) / Self.partSize + 1)
            #expect(parts.compactMap(\.partNumber).max() == parts.count)
            let path = try Self.scratch.get().put("\(bytes.count)-\(output)", bytes)
            return (bytes, bench.scratch.bytes(output), path)
        }

        /// What is looked at by others' programs.
        private static let scratch = Result { try Scratch() }

        @Test(arguments: ["mp4", "mov", "m4a", "mkv", "webm", "wav", "flac", "mp3"])
        func `A file through a store is the one through files, and whole`(_ container: String) async throws {
            let made = try await make("out.\(container)")
            #expect(difference(made.store, made.files) == nil)
            let media = try DecodedMedia(path: made.path)
            let sound = try #require(media.audio)
            #expect(abs(sound.end - 10) < 0.1)
            #expect(share(of: 400, in: sound.sound(4...6), rate: sound.sampleRate) > 0.9)
            #expect(media.streams.allSatisfy { $0.errors == 0 })
            if let video = media.video { #expect(video.numbers == Array(0..<250)) }
        }

        // MARK: MP4

        @Test(
            .enabled(if: ForeignMovieParser.python != nil, Comment(rawValue: ForeignMovieParser.absence)),
            arguments: ["mp4", "m4a"])
        func `Another parser finds the index in front and every sample in its place`(_ container: String) async throws {
            let made = try await make("index.\(container)")
            let movie = try ForeignMovieParser.read(made.path)
            let index = try #require(movie.boxes.firstIndex(of: "moov"))
            #expect(movie.boxes.first == "ftyp" && index < (movie.boxes.firstIndex(of: "mdat") ?? 0))
            for track in movie.tracks {
                #expect(abs(track.seconds - 10) < 0.1)
                #expect(track.kind == "soun" || track.samples == 250)
            }
            #expect(movie.tracks.map(\.codec) == (container == "mp4" ? ["avc1", "mp4a"] : ["mp4a"]))
            // It would not miss a byte that is gone.
            var broken = made.store
            broken.remove(at: 50_000)
            let path = try Self.scratch.get().put("broken.\(container)", broken)
            #expect(throws: ForeignMovieParser.Refusal.self) { try ForeignMovieParser.read(path) }
        }

        @Test func `An index longer than a part stands at the end, and the result says so`() async throws {
            let bench = try StreamingBench(partSize: 32 << 10)
            // Two minutes of small pictures: many samples of few bytes.
            let film = RawMovie(width: 32, height: 32, frames: 3000, grain: 60)
            bench.server["film.mkv"] = S3Object(.made(size: film.size) { film.bytes($0) })
            let video = VideoSettings(codec: .h264, preset: "ultrafast")
            let made = try await bench.engine.run(
                Transcode(input: bench.location("film.mkv"), output: bench.location("out.mp4"), video: video))
            let warning = try #require(made.warnings.first { $0.code == .container })
            #expect(warning.message.contains("index left at the end"))
            let bytes = try #require(bench.server.bytes("out.mp4"))
            let path = try bench.scratch.put("out.mp4", bytes)
            let media = try DecodedMedia(path: path, keepsSound: false)
            #expect(media.video?.frames.count == 3000 && media.video?.errors == 0)
            #expect(abs((media.audio?.end ?? 0) - 120) < 0.1)
            guard ForeignMovieParser.python != nil else { return }
            let movie = try ForeignMovieParser.read(path)
            #expect(movie.boxes.last == "moov" && movie.tracks.first?.samples == 3000)
        }

        // MARK: Others

        /// RFC 9559, §5.1.1 and §5.1.5.
        @Test func `Matroska's seek head leads to its cues`() async throws {
            let bytes = try await make("cues.mkv").store
            let segment = try #require(Self.place(of: [0x18, 0x53, 0x80, 0x67], in: bytes[...]))
            let size = Self.number(bytes[segment + 5..<segment + 12])
            #expect(segment + 12 + size == bytes.count, "the segment's size is the rest of the file")
            // Seek: the ID of the cues (53 AB) and where they are (53 AC), from the segment's contents on.
            let entry = try #require(
                Self.place(of: [0x53, 0xAB, 0x84, 0x1C, 0x53, 0xBB, 0x6B, 0x53, 0xAC], in: bytes[..<4096]))
            let length = Int(bytes[entry + 9] & 0x7F)
            let position = segment + 12 + Self.number(bytes[entry + 10..<entry + 10 + length])
            #expect(position > Self.partSize, "behind what can be written again")
            #expect(Array(bytes[position..<position + 4]) == [0x1C, 0x53, 0xBB, 0x6B])
        }

        /// https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html
        @Test func `A WAV file's head knows its length`() async throws {
            let bytes = try await make("length.wav").store
            func little(_ offset: Int) -> Int { Self.number(bytes[offset..<offset + 4].reversed()[...]) }
            #expect(little(4) == bytes.count - 8)
            let data = try #require(Self.place(of: Array("data".utf8), in: bytes[..<4096]))
            #expect(little(data + 4) == 480_000 * 2)
            #expect(data + 8 + 480_000 * 2 == bytes.count)
        }

        /// RFC 9639, §8.2.
        @Test func `A FLAC file's head knows its samples and their digest`() async throws {
            let bytes = try await make("samples.flac").store
            #expect(Array(bytes[..<4]) == Array("fLaC".utf8))
            // Behind the block's header: two block sizes, two frame sizes, then 36 bits of samples.
            let total = Self.number(bytes[21..<26]) & 0xF_FFFF_FFFF
            #expect(total == 480_000)
            #expect(bytes[26..<42].contains { $0 != 0 })
        }

        /// http://gabriel.mp3-tech.org/mp3infotag.html
        @Test func `An MP3 file's head knows its frames and bytes`() async throws {
            let bytes = try await make("frames.mp3").store
            let names = ["Xing", "Info"].compactMap { Self.place(of: Array($0.utf8), in: bytes[..<4096]) }
            let tag = try #require(names.first)
            #expect(bytes[tag + 7] & 3 == 3, "both are there")
            let frames = Self.number(bytes[tag + 8..<tag + 12])
            #expect(abs(frames * 1152 - 480_000) < 3 * 1152)
            // From the frame on that holds it; ID3 lies before.
            let sound = Self.number(bytes[tag + 12..<tag + 16])
            #expect(sound > bytes.count - 4096 && sound <= bytes.count)
        }

        private static func place(of pattern: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
            bytes.firstRange(of: pattern)?.lowerBound
        }

        private static func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
    }
}
