import Foundation
import JobQueue
import MediaKit
import ServiceTestSupport
import TestSupport

@testable import Worker

/// One of a mix of jobs: most can be done, some cannot.
enum MixedJob: Sendable {
    case probe, sound, plain, burn, app, broken, missing

    /// In the shares and the order in which they come.
    static let mix: [MixedJob] = [
        .plain, .probe, .sound, .app, .probe, .sound, .burn, .probe, .broken, .probe, .sound, .app, .probe, .plain,
        .sound, .probe, .missing, .app, .probe, .sound,
    ]

    static let frames = 25

    /// What has to be in the store.
    static let inputs: [(key: String, bytes: [UInt8])] = {
        let clip = TestClip.ordinary(seconds: 1).bytes
        return [
            ("in/clip.mkv", clip),
            // Of a real file, with nonsense behind its beginning.
            ("in/broken.mkv", Array(clip.prefix(400)) + [UInt8](repeating: 0xA5, count: 20_000)),
        ]
    }()

    var kind: String {
        switch self {
        case .probe: "media.probe"
        case .sound: "media.extract_audio"
        case .plain, .broken, .missing: "media.transcode"
        case .burn: "media.burn_subtitles"
        case .app: "http.request"
        }
    }

    /// Whether it leaves an object.
    var makesFile: Bool { self == .sound || self == .plain || self == .burn }

    func payload(app: String) -> String {
        let quick = #""video": {"codec": "h264", "preset": "ultrafast", "crf": 12}"#
        switch self {
        case .probe: return #"{"input": "s3://media/in/clip.mkv"}"#
        case .sound: return #"{"input": "s3://media/in/clip.mkv", "preset": "speech"}"#
        case .plain: return #"{"input": "s3://media/in/clip.mkv", \#(quick)}"#
        case .burn:
            let text = #"{"text": "1\n00:00:00,000 --> 00:00:02,000\nWWWWWWW\n"}"#
            return
                #"{"input": "s3://media/in/clip.mkv", "subtitles": \#(text), "style": {"fontSize": 0.2}, \#(quick)}"#
        case .app: return #"{"url": "\#(app)", "body": {"a": 1, "b": 2}}"#
        case .broken: return #"{"input": "s3://media/in/broken.mkv", \#(quick)}"#
        case .missing: return #"{"input": "s3://media/in/none.mkv", \#(quick)}"#
        }
    }
}

/// Looks whether jobs of a mix have come to what they should have.
struct MixedCheck {
    let bench: ProofBench
    let scratch: Scratch

    /// Waits for a job's end. Tells what is wrong with it; `nil` for nothing.
    func flaw(of id: JobID, _ sort: MixedJob) async throws -> String? {
        switch sort {
        case .probe:
            let kinds = try await bench.result(id).info?.streams.map(\.kind)
            return kinds == ["video", "audio"] ? nil : "streams \(kinds ?? [])"
        case .app:
            let answer = try await bench.queue.wait(for: id, as: JSONValue.self, timeout: .seconds(240))
            return answer == ["sum": 3] ? nil : "the answer \(answer)"
        case .sound:
            let media = try await media(id)
            guard let sound = media.audio, media.streams.count == 1 else { return "no sound" }
            guard sound.sampleRate == 16_000, sound.channels == 1, abs(sound.end - sound.start - 1) < 0.05 else {
                return "\(sound.sampleRate) Hz, \(sound.channels) channels, \(sound.end - sound.start) s"
            }
            let tone = share(of: TestClip.frequency(second: 0), in: sound.sound(0.2...0.8), rate: 16_000)
            return tone > 0.8 ? nil : "another sound: \(tone)"
        case .plain, .burn:
            let media = try await media(id)
            guard let video = media.video, media.audio != nil else { return "pictures or sound are missing" }
            guard video.numbers == Array(0..<MixedJob.frames) else { return "pictures \(video.numbers)" }
            // White letters with dark edges where the clip has areas of one grey.
            let contrast = Self.contrast(video.frames[0].luma)
            return (contrast > 40) == (sort == .burn) ? nil : "the lower part has a contrast of \(contrast)"
        case .broken:
            let job = try await bench.failed(id)
            let last = job.errors?.last
            guard job.state == .dead, last?.code == "permanent" else { return "\(job.state), \(job.errors ?? [])" }
            return "\(last?.log ?? .null)".contains("libav: ") ? nil : "no log of libav's: \(last?.log ?? .null)"
        case .missing:
            let job = try await bench.failed(id)
            let message = job.errors?.last?.message ?? ""
            guard job.state == .dead, job.errors?.last?.code == "permanent" else { return "\(job.state), \(message)" }
            return message.contains("s3://media/in/none.mkv") ? nil : message
        }
    }

    private func media(_ id: JobID) async throws -> DecodedMedia {
        try DecodedMedia(path: try await bench.file(try await bench.result(id), in: scratch))
    }

    /// How far the samples of a line through the captions lie apart from their neighbours, at most.
    private static func contrast(_ picture: Plane) -> Int {
        var most = 0
        // The left half of it: in the middle the clip itself has an edge.
        for y in picture.height * 3 / 4..<picture.height * 19 / 20 {
            for x in picture.width * 3 / 10..<picture.width * 9 / 20 {
                most = max(most, abs(Int(picture[x, y]) - Int(picture[x + 1, y])))
            }
        }
        return most
    }
}
