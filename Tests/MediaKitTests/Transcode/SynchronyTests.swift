import MediaKit
import TestSupport
import Testing

/// Where each track starts and ends, beside the others, stays within one picture of where it was in the source.
@Suite("Tracks stay together", .serialized, .enabled(if: Media.isPresent))
struct SynchronyTests {
    struct Way: Sendable, CustomTestStringConvertible {
        let output: String
        let encodes: Bool
        var testDescription: String { (encodes ? "encoded to " : "copied where possible to ") + output }

        static let all = [
            Way(output: "encoded.mp4", encodes: true), Way(output: "encoded.mkv", encodes: true),
            Way(output: "copied.mp4", encodes: false), Way(output: "copied.mkv", encodes: false),
        ]

        /// Copied to both containers, and encoded to one or the other: what an encoder makes is muxed as a copy is.
        static func of(_ name: String) -> [Way] {
            let isOdd = name.utf8.reduce(0) { $0 &+ Int($1) } % 2 == 1
            return all.filter { !$0.encodes || $0.output.hasSuffix(isOdd ? "mp4" : "mkv") }
        }
    }

    /// What no result can match, and why.
    static let exceptions: [String: String] = [
        "video/mkv_pgs_subtitle.mkv encoded": "30 pictures in 50 ms: no sound codec's frames are that short",
        "video/iphone_rot90_hevc10_editlist.mp4 copied.mp4":
            "its edit list ends before a picture that others refer to, so that copying must keep it",
    ]

    @Test("in every clip", arguments: Media.files(in: "video"))
    func drift(name: String) async throws {
        let bench = try Workbench()
        // Six minutes of it prove no more than one.
        let end: Double? = name.contains("six_minutes") ? 40 : nil
        let source = try bench.look(
            Media.file(name), pictureWidth: nil, keepsSound: false, until: end.map { $0 - 0.001 } ?? .infinity)
        // One clip after the other, but its ways beside each other: of each a good part runs on one core.
        try await withThrowingTaskGroup { group in
            for way in Way.of(name) where way.encodes || end == nil {
                group.addTask { try await make(way, name, until: end, bench, source) }
            }
            try await group.waitForAll()
        }
    }

    private func make(
        _ way: Way, _ name: String, until end: Double?, _ bench: Workbench, _ source: DecodedMedia
    ) async throws {
        let result = try await bench.transcode(Media.file(name), to: way.output) {
            if way.encodes {
                $0.video = VideoSettings(codec: .h264, size: PictureSize(height: 90))
                $0.audio.codec = .aac
            }
            $0.end = end
        }
        let made = try bench.look(way.output, pictureWidth: nil, keepsSound: false)
        compare(source: source, made: made, result: result, name: name, way: way)
    }

    private func compare(source: DecodedMedia, made: DecodedMedia, result: RenderResult, name: String, way: Way) {
        let streams = made.streams.filter { !$0.frames.isEmpty }
        let pairs = zip(streams, result.streams).map { (made: $0, source: source.streams[$1.sourceIndex ?? 0]) }
        // Time 0 of the result is where the source begins; a shift of everything is no drift.
        let zero = pairs.map { $0.source.start }.min() ?? 0
        let madeZero = pairs.map { $0.made.start }.min() ?? 0
        let tolerance = pairs.map(\.source).filter { $0.kind == "video" }.map(\.usualFrame).min() ?? 0.04
        let isKnown = Self.exceptions.keys.contains { "\(name) \(way.output)".hasPrefix($0) }
        for pair in pairs {
            let start = (pair.made.start - madeZero) - (pair.source.start - zero)
            let end = (pair.made.end - madeZero) - (pair.source.end - zero)
            if isKnown, abs(end) < 0.07, abs(start) <= tolerance { continue }
            #expect(abs(start) <= tolerance, "start of \(pair.made.kind) in \(name), \(way)")
            #expect(abs(end) <= tolerance, "end of \(pair.made.kind) in \(name), \(way)")
        }
    }
}

extension DecodedStream {
    /// Seconds of a picture at the stream's average rate.
    fileprivate var usualFrame: Double {
        let span = (times.max() ?? 0) - start
        return frames.count > 1 && span > 0 ? span / Double(frames.count - 1) : 0.04
    }
}
