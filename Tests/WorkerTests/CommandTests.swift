import Foundation
import MediaKit
import Testing
import TestSupport

@testable import Worker

/// The command as a user meets it: a process, its files, what it prints and its exit code.
@Suite struct CommandTests {
    /// A small clip, made once.
    private static let clip = Task { () -> (folder: Scratch, result: SampleClipResult) in
        let folder = try Scratch()
        let made = try await KilnProcess.run(
            [
                "sample", "clip.mp4", "--subtitles", "clip.srt", "--seconds", "4", "--width", "320", "--height", "180",
                "--json",
            ], in: folder.path)
        #expect(made.status == 0, "\(made.error)")
        return (folder, try made.decoded(SampleClipResult.self))
    }

    /// A folder of the test's own with the clip in it.
    private func folder() async throws -> Scratch {
        let clip = try await Self.clip.value
        let folder = try Scratch()
        for name in ["clip.mp4", "clip.srt"] { try folder.put(name, clip.folder.bytes(name)) }
        return folder
    }

    @Test func `The version names the libraries`() async throws {
        let outcome = try await KilnProcess.run(["--version"])
        #expect(outcome.status == 0)
        #expect(outcome.text.hasPrefix("kiln \(MediaKitVersion.current) (FFmpeg "))
        #expect(outcome.text.contains("libavcodec "))
        #expect(outcome.text.split(separator: "\n").count == 1)
    }

    @Test func `Capabilities can be read by people and programs`() async throws {
        let capabilities = try await KilnProcess.run(["capabilities", "--json"]).decoded(Capabilities.self)
        #expect(capabilities.video.contains { $0.name == "h264" && $0.encoder != nil && $0.decoder != nil })
        #expect(capabilities.libraries == LibavLibrary.versions)
        #expect(capabilities.fonts.families.contains("DejaVu Sans"))
        #expect(capabilities.fonts.families == Set(capabilities.fonts.families).sorted())
        let text = try await KilnProcess.run(["capabilities"]).text
        for word in ["libass", "h264", "Fonts", "DejaVu Sans", "zscale"] { #expect(text.contains(word)) }
    }

    @Test func `Clips are joined and repeated`() async throws {
        let folder = try await folder()
        let joined = try await KilnProcess.run(
            ["concat", "clip.mp4", "clip.mp4", "joined.mp4", "--fade", "0.4", "--preset", "ultrafast", "--json"],
            in: folder.path)
        #expect(joined.status == 0, "\(joined.error)")
        #expect(abs(try joined.decoded(RenderResult.self).duration - 7.6) < 0.1)
        let looped = try await KilnProcess.run(
            ["loop", "clip.mp4", "looped.mp4", "--length", "6.5", "--preset", "ultrafast", "--json"], in: folder.path)
        #expect(looped.status == 0, "\(looped.error)")
        #expect(abs(try looped.decoded(RenderResult.self).duration - 6.5) < 0.03)
        let broken = try await KilnProcess.run(["concat", "clip.mp4", "clip.srt", "never.mp4"], in: folder.path)
        #expect(broken.status == 65)
        #expect(broken.error.contains("clip.srt"))
        #expect(!folder.names.contains("never.mp4"))
    }

    @Test func `A sample clip says its words when its subtitles show them`() async throws {
        let (folder, result) = try await Self.clip.value
        #expect(abs(result.duration - 4) < 0.05)
        let outcome = try await KilnProcess.run(
            ["extract-audio", "clip.mp4", "-", "--container", "wav", "--for", "speech"], in: folder.path)
        #expect(outcome.status == 0, "\(outcome.error)")
        let samples = outcome.output.dropFirst(78).withUnsafeBytes { bytes in
            (0..<bytes.count / 2).map { Double(bytes.loadUnaligned(fromByteOffset: $0 * 2, as: Int16.self)) }
        }
        func loudness(_ start: Double, _ end: Double) -> Double {
            let part = samples[max(0, Int(start * 16_000))..<min(samples.count, Int(end * 16_000))]
            return (part.reduce(0) { $0 + $1 * $1 } / Double(max(1, part.count))).squareRoot()
        }
        let first = try #require(result.cues.first)
        #expect(first.start > 0.1)
        #expect(loudness(0.02, first.start - 0.05) < 30)
        for cue in result.cues { #expect(loudness(cue.start, cue.end) > 300) }
        let srt = String(decoding: folder.bytes("clip.srt"), as: UTF8.self)
        for cue in result.cues { #expect(srt.contains(cue.text)) }
    }

    @Test func `Probe prints a table, or the library's value as JSON`() async throws {
        let folder = try await folder()
        let table = try await KilnProcess.run(["probe", "clip.mp4"], in: folder.path)
        #expect(table.status == 0)
        #expect(table.error.isEmpty)
        for fact in ["320x180", "h264", "aac", "30 fps", "48000 Hz", "stereo", "eng"] {
            #expect(table.text.contains(fact), "\(fact) is missing")
        }
        let json = try await KilnProcess.run(["probe", "clip.mp4", "--json"], in: folder.path)
        let info = try json.decoded(MediaInfo.self)
        #expect(info.streams.map(\.kind) == ["video", "audio"])
        #expect(!json.text.contains("\\/"))
    }

    @Test func `Probe measures how far apart key frames are, on request`() async throws {
        let folder = try await folder()
        let made = try await KilnProcess.run(
            ["transcode", "clip.mp4", "a.mp4", "--video-codec", "h264", "--gop-seconds", "1"], in: folder.path)
        #expect(made.status == 0, "\(made.error)")
        let table = try await KilnProcess.run(["probe", "a.mp4", "--key-frames"], in: folder.path)
        #expect(table.text.contains("key frames at most 1 s apart"), "\(table.text)")
    }

    @Test func `Transcoding prints a summary, or the result as JSON, and makes the file`() async throws {
        let folder = try await folder()
        let plain = try await KilnProcess.run(["transcode", "clip.mp4", "a.mkv", "--height", "90"], in: folder.path)
        #expect(plain.status == 0, "\(plain.error)")
        #expect(plain.output.isEmpty)
        #expect(plain.error.contains("a.mkv") && plain.error.contains("160x90"))
        let json = try await KilnProcess.run(
            ["transcode", "clip.mp4", "b.mp4", "--crf", "40", "--start", "1", "--end", "2", "--json"], in: folder.path)
        let result = try json.decoded(RenderResult.self)
        #expect(json.error.isEmpty)
        #expect(result.streams.first?.frames == 30)
        #expect(result.bytes == Int64(folder.bytes("b.mp4").count))
    }

    @Test func `Sound is measured, normalized and mixed`() async throws {
        let folder = try await folder()
        let measured = try await KilnProcess.run(["normalize", "clip.mp4", "--measure-only"], in: folder.path)
        #expect(measured.status == 0, "\(measured.error)")
        #expect(measured.text.contains("LUFS") && measured.text.contains("dBTP"))
        let made = try await KilnProcess.run(["normalize", "clip.mp4", "a.mp4"], in: folder.path)
        #expect(made.status == 0, "\(made.error)")
        #expect(made.error.contains("dBTP → -16.0 LUFS") && made.error.contains("video h264"))
        let json = try await KilnProcess.run(
            ["normalize", "clip.mp4", "b.wav", "--target", "-20", "--json"], in: folder.path)
        let result = try json.decoded(NormalizeLoudnessResult.self)
        #expect(abs((result.tracks.first?.after.integrated ?? 0) - -20) < 0.5)
        let mixed = try await KilnProcess.run(
            [
                "mix", "a.mp4", "b.wav", "c.mp4", "--video", "clip.mp4", "--input-gain", "1=-12", "--duck", "1=0",
                "--json",
            ],
            in: folder.path)
        #expect(mixed.status == 0, "\(mixed.error)")
        #expect(try mixed.decoded(RenderResult.self).streams.map(\.copied) == [true, false])
    }

    @Test func `Captions are burnt from a file and from standard input`() async throws {
        let folder = try await folder()
        let file = try await KilnProcess.run(
            ["burn", "clip.mp4", "clip.srt", "a.mp4", "--bitexact", "--threads", "1", "--json"], in: folder.path)
        #expect(file.status == 0, "\(file.error)")
        #expect(try file.decoded(RenderResult.self).streams.first?.frames == 120)
        let piped = try await KilnProcess.run(
            ["burn", "clip.mp4", "-", "b.mp4", "--bitexact", "--threads", "1"], input: folder.bytes("clip.srt"),
            in: folder.path)
        #expect(piped.status == 0, "\(piped.error)")
        #expect(folder.bytes("a.mp4") == folder.bytes("b.mp4"))
    }

    @Test func `Media goes through pipes, and nothing else on them`() async throws {
        let folder = try await folder()
        let outcome = try await KilnProcess.run(
            ["transcode", "-", "-", "--container", "mkv", "--video-codec", "h264", "--json"],
            input: folder.bytes("clip.mp4"), in: folder.path)
        #expect(outcome.status == 0, "\(outcome.error)")
        let result = try JSONDecoder().decode(RenderResult.self, from: Data(outcome.error.utf8))
        #expect(result.bytes == Int64(outcome.output.count))
        let info = try await KilnProcess.run(["probe", "-", "--json"], input: outcome.output).decoded(MediaInfo.self)
        #expect(info.streams.map(\.codec) == ["h264", "aac"])
    }

    @Test func `Progress as JSON is one object a line, up to the whole`() async throws {
        let folder = try await folder()
        let outcome = try await KilnProcess.run(
            ["transcode", "clip.mp4", "a.mp4", "--video-codec", "h264", "--progress", "json"], in: folder.path)
        #expect(outcome.status == 0)
        let fractions = try outcome.error.split(separator: "\n").map { line in
            let progress = try JSONDecoder().decode(MediaKit.Progress.self, from: Data(line.utf8))
            return try #require(progress.fraction)
        }
        #expect(fractions.last == 1)
        #expect(fractions == fractions.sorted())
    }

    @Test func `A file that is there is replaced only on request`() async throws {
        let folder = try await folder()
        try folder.put("a.mp4", [1, 2, 3])
        let refused = try await KilnProcess.run(["transcode", "clip.mp4", "a.mp4"], in: folder.path)
        #expect(refused.status == 73)
        #expect(refused.error.contains("-y"))
        #expect(folder.bytes("a.mp4") == [1, 2, 3])
        let replaced = try await KilnProcess.run(["transcode", "clip.mp4", "a.mp4", "-y"], in: folder.path)
        #expect(replaced.status == 0)
        #expect(folder.bytes("a.mp4").count > 1000)
    }

    private static let failures: [([String], Int32)] = [
        (["transcode", "clip.mp4", "a.mp4", "--crf", "99"], 64), (["transcode", "clip.mp4"], 64),
        (["transcode", "clip.srt", "a.mp4"], 65), (["transcode", "missing.mp4", "a.mp4"], 66),
        (["burn", "clip.mp4", "missing.srt", "a.mp4"], 66), (["burn", "clip.mp4", "embedded", "a.mp4"], 66),
        (["transcode", "clip.mp4", "a.webm", "--video-codec", "copy"], 69),
        (["transcode", "clip.mp4", "missing/a.mp4"], 73),
        (["transcode", "clip.mp4", "a.mp4", "--video-codec", "h264", "--limit-pixels", "100"], 75),
        (["transcode", "clip.mp4", "a.mkv", "--limit-output-bytes", "1k"], 75),
    ]

    @Test(arguments: failures)
    func `Each failure has its exit code and a sentence, and leaves no file`(
        _ arguments: [String], _ status: Int32
    ) async throws {
        let folder = try await folder()
        let outcome = try await KilnProcess.run(arguments, in: folder.path)
        #expect(outcome.status == status, "\(outcome.error)")
        #expect(outcome.output.isEmpty)
        #expect(outcome.error.hasPrefix("kiln: "))
        #expect(folder.names == ["clip.mp4", "clip.srt"])
    }

    @Test func `A device that is full is an error of output`() async throws {
        let folder = try await folder()
        try FileManager.default.createSymbolicLink(atPath: folder("full.mkv"), withDestinationPath: "/dev/full")
        let outcome = try await KilnProcess.run(["transcode", "clip.mp4", "full.mkv"], in: folder.path)
        #expect(outcome.status == 74, "\(outcome.error)")
    }

    @Test func `With JSON asked for, a failure is an object, too`() async throws {
        let folder = try await folder()
        let outcome = try await KilnProcess.run(["probe", "missing.mp4", "--json"], in: folder.path)
        let report = try outcome.decoded(ErrorReport.self)
        #expect(outcome.status == 66 && report.error.exitCode == 66)
        #expect(report.error.code == "not_found")
        #expect(outcome.error.hasPrefix("kiln: "))
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func `A signal in the middle of a job ends it and leaves nothing`(_ signal: Int32) async throws {
        let folder = try Scratch()
        let outcome = try await KilnProcess.run(
            ["sample", "long.mp4", "--subtitles", "long.srt", "--seconds", "600", "--progress", "json"],
            in: folder.path, interruption: signal)
        #expect(outcome.status == 130)
        #expect(outcome.error.contains("cancelled"))
        #expect(folder.names.isEmpty)
    }

    @Test func `A request in a file does what its flags did`() async throws {
        let folder = try await folder()
        let flags = ["transcode", "clip.mp4", "a.mkv", "--height", "90", "--bitexact", "--threads", "1"]
        let printed = try await KilnProcess.run(flags + ["--print-request"], in: folder.path)
        #expect(folder.names == ["clip.mp4", "clip.srt"])
        try folder.put("request.json", printed.output)
        let ran = try await KilnProcess.run(["run", "request.json", "--json"], in: folder.path)
        #expect(ran.status == 0, "\(ran.error)")
        let direct = try ran.decoded(RenderResult.self)
        #expect(direct.streams.first?.height == 90)
        let made = folder.bytes("a.mkv")
        #expect(try await KilnProcess.run(flags + ["-y"], in: folder.path).status == 0)
        #expect(folder.bytes("a.mkv") == made)
    }

    private static let unreadable: [(String, String)] = [
        (#"{"operation": "transcode", "input": "a", "output": "b.mp4", "video": {"crf": "x"}}"#, "video.crf"),
        (#"{"operation": "transcode", "input": "a", "output": "b.mp4", "video": {"crff": 1}}"#, "did you mean \"crf\""),
        (#"{"operation": "transcode", "input": "a"}"#, "output"), (#"{"operation": "dance"}"#, "burn_subtitles"),
        (#"{"input": "a"}"#, "operation"), ("{\"operation\": \"probe\",\n input}", "line 2, column 2"),
    ]

    @Test(arguments: unreadable)
    func `A request that cannot be read names the place`(_ request: String, _ place: String) async throws {
        let outcome = try await KilnProcess.run(["run", "-"], input: Array(request.utf8))
        #expect(outcome.status == 64)
        #expect(outcome.error.contains(place), "\(outcome.error)")
    }
}

/// The command on real clips, where there are any.
@Suite(.enabled(if: Media.isPresent)) struct CommandOnMediaTests {
    @Test(arguments: (Media.files(in: "video") + Media.files(in: "audio")).filter { !$0.hasSuffix(".txt") })
    func `Every good clip can be probed`(_ name: String) async throws {
        let outcome = try await KilnProcess.run(["probe", Media.file(name), "--json"])
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(try !outcome.decoded(MediaInfo.self).streams.isEmpty)
        let table = try await KilnProcess.run(["probe", Media.file(name)])
        #expect(table.status == 0)
        #expect(table.text.contains("Duration"))
    }

    @Test(arguments: Media.files(in: "broken"))
    func `No broken file makes the command crash or blame itself`(_ name: String) async throws {
        let folder = try Scratch()
        for arguments in [["probe", Media.file(name)], ["transcode", Media.file(name), "a.mkv", "--crf", "40"]] {
            let outcome = try await KilnProcess.run(arguments, in: folder.path)
            #expect([0, 65, 69, 75].contains(outcome.status), "\(outcome.status): \(outcome.error)")
            if outcome.status != 0 { #expect(folder.names.isEmpty) }
        }
    }
}
