import Foundation
import ServiceTestSupport
import TestSupport
import Transfer
import TransferTestSupport

/// A film whose last quarter cannot be read before a test lets it be: what is made of it is in its middle until then, with
/// parts of the output in the store.
///
/// Its pictures tell their numbers, and have so much grain that the output is several parts.
struct HeldFilm: Sendable {
    static let key = "in/film.mkv"
    static let output = "out/film.mp4"
    static let frames = 400

    /// Raised, the rest can be read.
    let rest = ThreadSignal()

    /// Puts it into a store.
    init(on server: S3Server) {
        let film = RawMovie(width: 640, height: 360, frames: Self.frames, grain: 200)
        let limit = film.size * 3 / 4
        server[Self.key] = S3Object(
            .made(size: film.size) { [rest] range in
                if range.upperBound > limit { rest.wait() }
                return film.bytes(range)
            })
    }

    /// A burn-in of it.
    static let burn = #"""
        {"input": "s3://media/in/film.mkv", "output": "s3://media/out/film.mp4",
         "subtitles": {"text": "1\n00:00:00,000 --> 00:01:00,000\nWWWW\n"}, "video": {"preset": "ultrafast", "crf": 4}}
        """#

    /// Tells what is wrong with what was made of it; `nil` if every picture is there, in order.
    static func flaw(_ path: String) throws -> String? {
        let media = try DecodedMedia(path: path, pictureWidth: 160, keepsSound: false)
        guard let video = media.video, media.audio != nil else { return "pictures or sound are missing" }
        if video.errors > 0 { return "\(video.errors) packets cannot be decoded" }
        let numbers = video.numbers
        return numbers == Array(0..<frames) ? nil : "\(numbers.count) pictures: \(numbers)"
    }
}
