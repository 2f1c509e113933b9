import Foundation
import MediaKit
import Testing

@testable import Worker

@Suite struct ConsoleTests {
    private let half: MediaKit.Progress
    private let unknown: MediaKit.Progress

    init() throws {
        let facts = #""position": 61.25, "speed": 3.25, "framesPerSecond": 80.4, "bytes": 9"#
        half = try JSONText.decode(
            MediaKit.Progress.self, from: Array(#"{\#(facts), "fraction": 0.5, "eta": 19}"#.utf8), name: "half")
        unknown = try JSONText.decode(MediaKit.Progress.self, from: Array("{\(facts)}".utf8), name: "unknown")
    }

    @Test func `The bar tells percent, position, speed, rate and time left`() {
        let line = ProgressBar.line(half, width: 100)
        for fact in ["50.0 %", "00:01:01.3", "3.3×", "80 fps", "ETA 00:00:19"] { #expect(line.contains(fact)) }
        let filled = line.filter { $0 == "█" }.count
        let empty = line.filter { $0 == "░" }.count
        #expect(filled > 4 && filled == empty)
    }

    @Test func `The bar fits every terminal`() {
        for width in 0...200 {
            #expect(ProgressBar.line(half, width: width).count <= width)
            #expect(ProgressBar.line(unknown, width: width).count <= width)
        }
    }

    @Test func `Each error code has its exit code`() {
        let codes: [(MediaError.Code, Int32)] = [
            (.badRequest, 64), (.badInput, 65), (.notFound, 66), (.unsupported, 69), (.internal, 70),
            (.cannotCreate, 73), (.io, 74), (.resourceLimit, 75), (.cancelled, 130),
            (MediaError.Code(rawValue: "of_tomorrow"), 70),
        ]
        for (code, status) in codes { #expect(ExitStatus(code).rawValue == status) }
    }

    @Test func `An error speaks of flags where the request was made of flags`() {
        let error = MediaError(.badRequest, "video.crf must lie between 0 and 63", hint: "see\u{1B}[31m limits.pixels")
        #expect(CommandFailure(error).sentence.hasPrefix("--crf must lie"))
        #expect(CommandFailure(error, namesFlags: false).sentence.hasPrefix("video.crf must lie"))
        // A terminal obeys what is in a file's name.
        #expect(!CommandFailure(error).sentence.unicodeScalars.contains("\u{1B}"))
    }

    @Test func `A table for people shows what is in a file`() throws {
        let json = """
            {"input": "a\\u001b[2J.mp4", "format": "mov,mp4", "formatName": "QuickTime / MOV", "duration": 61.5,
             "start": 0, "bitRate": 2500000, "bytes": 1234567, "tags": {"title": "A\\nfilm"},
             "chapters": [{"start": 0, "end": 30, "title": "One"}],
             "streams": [
              {"index": 0, "kind": "video", "codec": "hevc", "profile": "Main 10", "dispositions": ["default"],
               "timeBase": "1/90000", "duration": 61.5, "frames": 1843, "bitRate": 2300000, "tags": {},
               "video": {"width": 1920, "height": 1080, "displayWidth": 1080, "displayHeight": 1920, "rotation": 90,
                "isMirrored": false, "averageFrameRate": "30000/1001", "isVariableFrameRate": true,
                "pixelFormat": "yuv420p10le", "level": "4.1", "displayAspectRatio": "9:16",
                "color": {"primaries": "bt2020", "transfer": "smpte2084", "matrix": "bt2020nc", "range": "tv"},
                "hdr": {"transfer": "PQ", "minimumLuminance": 0.005, "maximumLuminance": 1000,
                 "maximumContentLight": 900, "maximumFrameAverageLight": 300}, "keyFrameSeconds": 2}},
              {"index": 1, "kind": "audio", "codec": "aac", "language": "deu", "dispositions": [],
               "timeBase": "1/48000", "duration": 61.5, "bitRate": 128000, "tags": {},
               "audio": {"sampleRate": 48000, "channels": 6, "channelLayout": "5.1", "sampleFormat": "fltp"}}]}
            """
        let text = ProbeTable(try JSONDecoder().decode(MediaInfo.self, from: Data(json.utf8))).text
        let facts = [
            "00:01:01.500", "2.5 Mb/s", "1.2 MB", "title: A film", "hevc (Main 10, level 4.1)", "1920x1080 yuv420p10le",
            "29.97 fps VFR", "turned 90° clockwise", "shown as 1080x1920", "9:16", "bt2020/smpte2084/bt2020nc",
            "limited range", "HDR PQ", "0.005 to 1000 cd/m²", "900 cd/m²", "key frames at most 2 s apart", "5.1, 6 ch",
            "48000 Hz", "deu", "default", "00:00:00.000 to 00:00:30.000", "One", "1843 frames",
        ]
        for fact in facts { #expect(text.contains(fact), "\(fact) is missing") }
        #expect(!text.unicodeScalars.contains("\u{1B}"))
        // The columns stand under their heads.
        let lines = text.split(separator: "\n")
        let head = try #require(lines.first { $0.contains("Codec") })
        let row = try #require(lines.first { $0.contains("aac") })
        let place = try #require(head.firstRange(of: "Codec")).lowerBound
        let column = head.distance(from: head.startIndex, to: place)
        #expect(row.dropFirst(column).hasPrefix("aac"))
    }

    @Test(arguments: [
        "{}", "[]", "1", "-1.5e-3", "true", " null ", #"{"a": [1, {"b": "\u00e4\n"}], "c": false}"#, #""x""#,
    ])
    func `Valid JSON has no problem`(_ text: String) { #expect(JSONSyntax.problem(in: Array(text.utf8)) == nil) }

    @Test(arguments: [
        (#"{"a" 1}"#, "line 1, column 6"), ("{\n \"a\": 1,\n}", "line 3, column 1"), ("", "line 1, column 1"),
        (#"{"ä": tru}"#, "line 1, column 7"), ("[1, 2", "line 1, column 6"), (#"{"a": "b}"#, "line 1"),
        ("{} x", "line 1, column 4"), ("[1 2]", "line 1, column 4"), (#"{a: 1}"#, "line 1, column 2"),
    ])
    func `A problem in JSON is told by line and column`(_ text: String, _ place: String) throws {
        let problem = try #require(JSONSyntax.problem(in: Array(text.utf8)))
        #expect(problem.hasPrefix(place), "\(problem)")
    }

    @Test func `JSON nested without end is refused, not followed`() {
        let bottomless = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
        #expect(JSONSyntax.problem(in: bottomless)?.contains("deeply") == true)
    }

    @Test func `Figures are short`() {
        #expect(Figures.bytes(999) == "999 B")
        #expect(Figures.bytes(1_250_000) == "1.3 MB")
        #expect(Figures.bitRate(128_000) == "128 kb/s")
        #expect(Figures.clock(3661.0005) == "01:01:01.001")
        #expect(Figures.clock(-0.5) == "-00:00:00.500")
        #expect(Figures.short(29.970029) == "29.97")
        #expect(Figures.short(30) == "30")
        #expect(Figures.fixed(.infinity, 2) == "inf")
    }
}
