import MediaKit
import TestSupport
import Testing

/// No damaged file crashes, hangs, leaves a file, or passes for whole.
@Suite("Broken inputs", .serialized, .enabled(if: Media.isPresent))
struct BrokenInputTests {
    enum Outcome: Sendable {
        case fails(MediaError.Code)
        /// What is there is made, with one of these warnings.
        case warns(Set<MediaWarning.Code>)
        case succeeds
    }

    static let table: [(file: String, outcome: Outcome)] = [
        // Two thirds of its pictures are missing.
        ("broken/corrupt.webm", .fails(.badInput)),
        ("broken/corrupt_chunk_offsets.mp4", .fails(.badInput)),
        ("broken/corrupt_moov.mp4", .fails(.badInput)),
        // More than 5 % of its pictures are lost.
        ("broken/corrupt_packets_mid.mp4", .fails(.badInput)),
        ("broken/ftyp_only.mp4", .fails(.badInput)),
        ("broken/garbage_then_truncated.mp3", .warns([.damagedInput])),
        ("broken/one_byte.mp4", .fails(.badInput)),
        // More than 5 % of its sound is lost.
        ("broken/packet_loss.ts", .fails(.badInput)),
        // A list of other files, which are not opened.
        ("broken/playlist_renamed.mp4", .fails(.unsupported)),
        // A picture by another name: one frame of video.
        ("broken/png_renamed.mp4", .succeeds),
        ("broken/random_64k.mp4", .fails(.badInput)),
        ("broken/s3_error_page.mp4", .fails(.badInput)),
        ("broken/text_renamed.mp4", .fails(.badInput)),
        ("broken/truncated.jpg", .warns([.damagedInput, .concealedFrames])),
        ("broken/truncated.mkv", .fails(.badInput)),
        ("broken/truncated_half_moov_front.mp4", .fails(.badInput)),
        ("broken/truncated_moov_missing.mp4", .fails(.badInput)),
        // A length that was never filled in; cut inside a packet.
        ("broken/wav_size_lies.wav", .warns([.damagedInput, .durationMismatch])),
        ("broken/zero_bytes.mp4", .fails(.badInput)),
    ]

    @Test("every file of the folder is in the table")
    func complete() {
        #expect(Set(Self.table.map(\.file)) == Set(Media.files(in: "broken")))
    }

    private func transcode(_ file: String, _ bench: Workbench, _ tolerance: Tolerance) async throws -> RenderResult {
        try await bench.transcode(Media.file(file), to: "out.mkv") {
            $0.video = VideoSettings(codec: .h264, size: PictureSize(height: 90))
            $0.audio.codec = .aac
            $0.tolerance = tolerance
            $0.limits.wallSeconds = 60
        }
    }

    @Test("a transcode ends as the table says", arguments: table)
    func outcome(file: String, outcome: Outcome) async throws {
        let bench = try Workbench()
        do {
            let result = try await transcode(file, bench, Tolerance())
            switch outcome {
            case .fails(let code): Issue.record("\(file) should fail as \(code), but: \(result.warnings)")
            case .succeeds: #expect(result.warnings.isEmpty, "\(result.warnings)")
            case .warns(let codes):
                #expect(result.warnings.contains { codes.contains($0.code) }, "\(file): \(result.warnings)")
            }
            #expect(bench.scratch.names == ["out.mkv"])
        } catch let error as MediaError {
            guard case .fails(let code) = outcome else {
                Issue.record("\(file) should pass, but: \(error)")
                return
            }
            #expect(error.code == code, "\(error)")
            #expect(error.operation == "transcode")
            #expect(error.description.contains(file.split(separator: "/")[1]), "it names the input: \(error)")
            #expect(!error.description.contains("\n"))
            #expect(bench.scratch.names == [], "nothing is left")
        }
    }

    @Test("a probe ends in an answer or a named error", arguments: Media.files(in: "broken"))
    func probe(file: String) async throws {
        let expectsError = [
            "corrupt_moov", "ftyp_only", "one_byte", "playlist", "random", "s3_error", "text_renamed", "moov_missing",
            "zero_bytes",
        ].contains { file.contains($0) }
        do {
            let info = try await MediaEngine().run(
                Probe(input: Media.file(file), keyFrames: true, limits: Limits(wallSeconds: 60)))
            #expect(!expectsError && !info.streams.isEmpty, "\(file)")
        } catch let error as MediaError {
            #expect(expectsError && [.badInput, .unsupported].contains(error.code), "\(file): \(error)")
        }
    }

    @Test(
        "with all tolerance, what can be read of a truncated file is made, with a warning",
        arguments: [
            ("broken/truncated_half_moov_front.mp4", 4.0), ("broken/truncated.mkv", 11.0),
            ("broken/corrupt_packets_mid.mp4", 9.0),
            ("broken/packet_loss.ts", 2.0),
        ])
    func tolerant(file: String, seconds: Double) async throws {
        let bench = try Workbench()
        let result = try await transcode(file, bench, Tolerance(lostFrames: 1))
        #expect(result.duration >= seconds)
        #expect(result.warnings.contains { [.durationMismatch, .lostFrames].contains($0.code) })
        #expect(try bench.look("out.mkv", pictureWidth: nil).video?.end ?? 0 >= seconds)
    }

    @Test(
        "strict fails at the first damage",
        arguments: [
            "broken/truncated_half_moov_front.mp4", "broken/corrupt_packets_mid.mp4", "broken/packet_loss.ts",
            "broken/truncated.jpg", "broken/wav_size_lies.wav", "broken/garbage_then_truncated.mp3",
            "broken/corrupt.webm",
            "broken/truncated.mkv",
        ])
    func strict(file: String) async throws {
        let bench = try Workbench()
        let error = await mediaError { _ = try await transcode(file, bench, Tolerance(lostFrames: 1, strict: true)) }
        #expect(error?.code == .badInput, "\(file)")
        #expect(bench.scratch.names == [])
    }

    @Test(
        "strict takes what is whole",
        arguments: [
            "video/friday_480p_speech.mp4", "video/bframes_editlist_480p.mp4", "video/mpeg2_1080p.ts", "audio/jfk.mp3",
        ])
    func strictOnWhole(file: String) async throws {
        let bench = try Workbench()
        let result = try await bench.transcode(Media.file(file), to: "out.mkv") {
            $0.video = VideoSettings(codec: .h264, size: PictureSize(height: 90))
            $0.audio.codec = .aac
            $0.tolerance.strict = true
        }
        #expect(result.warnings.allSatisfy { $0.code == .droppedStream }, "\(result.warnings)")
    }

    @Test(
        "copying a truncated file is no silent success either",
        arguments: ["broken/truncated_half_moov_front.mp4", "broken/truncated.mkv"])
    func copied(file: String) async throws {
        let bench = try Workbench()
        let error = await mediaError { try await bench.transcode(Media.file(file), to: "out.mkv") }
        #expect(error?.code == .badInput)
        #expect(bench.scratch.names == [])
        let result = try await bench.transcode(Media.file(file), to: "out.mkv") { $0.tolerance.lostFrames = 1 }
        #expect(result.warnings.contains { $0.code == .durationMismatch })
    }

    @Test("a cover picture is no video", .enabled(if: Media.isPresent))
    func cover() async throws {
        let bench = try Workbench()
        let file = Media.file("audio/mp3_with_big_cover.mp3")
        let result = try await bench.transcode(file, to: "out.mp4")
        #expect(result.streams.map(\.kind) == ["audio"])
        #expect(result.warnings.contains { $0.code == .droppedStream })
    }
}
