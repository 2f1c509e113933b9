import Foundation
import MediaKit
import TestSupport

extension TestClip {
    /// A clip of one brightness, and one tone if any.
    static func plain(
        luma: UInt8, chroma: (u: UInt8, v: UInt8) = (128, 128), tone: Double? = nil, seconds: Double = 1,
        rate: Int = 25, width: Int = 160, height: Int = 96, sampleRate: Int = 48_000, channels: Int = 1
    ) -> TestClip {
        var video = Video(frames: Int((seconds * Double(rate)).rounded()), rate: rate, width: width, height: height)
        video.luma = { _, _, _ in luma }
        video.chroma = chroma
        // What BT.709 shows stays as it is.
        video.matrix = 1
        video.range = 1
        return TestClip(
            video: video,
            audio: tone.map { tone in
                [
                    Audio(seconds: seconds, sampleRate: sampleRate, channels: channels) { time, _ in
                        0.25 * sin(2 * .pi * tone * time)
                    }
                ]
            } ?? [])
    }
}

/// A Windows bitmap of one colour, 24 bits a pixel: a still that needs no encoder.
func bitmap(width: Int, height: Int, red: UInt8, green: UInt8, blue: UInt8) -> [UInt8] {
    func number(_ value: Int, _ bytes: Int) -> [UInt8] {
        (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    var row = [UInt8]()
    for _ in 0..<width { row += [blue, green, red] }
    row += [UInt8](repeating: 0, count: (4 - width * 3 % 4) % 4)
    let pixels = [UInt8]((0..<height).map { _ in row }.joined())
    var bytes = Array("BM".utf8)
    for (value, count) in [
        (54 + pixels.count, 4), (0, 4), (54, 4), (40, 4), (width, 4), (height, 4), (1, 2), (24, 2), (0, 4),
        (pixels.count, 4), (2835, 4), (2835, 4), (0, 4), (0, 4),
    ] {
        bytes += number(value, count)
    }
    return bytes + pixels
}

extension Array where Element == UInt8 {
    /// A JPEG whose EXIF data says that it is to be turned clockwise by a quarter, as of a telephone held upright.
    var turnedByExif: [UInt8] {
        // An entry of TIFF 6.0: orientation (0x0112), one 16-bit number, 6.
        let exif =
            Array("Exif".utf8) + [0, 0] + Array("MM".utf8) + [0, 42, 0, 0, 0, 8, 0, 1]
            + [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0]
        return prefix(2) + [0xFF, 0xE1, 0, UInt8(exif.count + 2)] + exif + dropFirst(2)
    }
}

extension Workbench {
    /// A photo, dark on its left as it is stored, that EXIF turns clockwise by a quarter: that is its top then.
    func turnedPhoto(width: Int, height: Int) async throws -> String {
        var picture = TestClip.Video(frames: 1, width: width, height: height)
        picture.luma = { _, x, _ in x < width / 2 ? 60 : 200 }
        let clip = try put(TestClip(video: picture), as: "picture.mkv")
        _ = try await engine.run(Thumbnail(input: clip, output: scratch("stored.jpg"), at: [.seconds(0)]))
        return try put(scratch.bytes("stored.jpg").turnedByExif, as: "photo.jpg")
    }
}

extension DecodedStream {
    /// The mean brightness of each picture's middle.
    var brightness: [Double] { frames.map { $0.luma.mean(0.4...0.6, 0.4...0.6) } }

    /// Seconds at which one tone gives way to another, looked for in steps of 10 ms.
    func change(from first: Double, to second: Double) -> Double? {
        let end = Double(samples.first?.count ?? 0) / Double(max(1, sampleRate))
        return stride(from: 0.0, to: end - 0.02, by: 0.01).first { start in
            let part = sound(start...start + 0.02)
            return share(of: second, in: part, rate: sampleRate) > share(of: first, in: part, rate: sampleRate)
        }.map { $0 + 0.01 }
    }
}

extension Workbench {
    /// The folder's request with the quickest settings and sound that keeps every sample.
    func concatenate(
        _ inputs: [String], to name: String = "out.mkv", _ change: (inout ConcatenateClips) -> Void = { _ in }
    ) async throws -> RenderResult {
        var request = ConcatenateClips(clips: inputs.map { Clip(input: $0) }, output: scratch(name))
        request.video = VideoSettings(codec: .h264, crf: 10, preset: "ultrafast")
        if name.hasSuffix(".mkv") { request.audio.codec = .pcm }
        change(&request)
        return try await engine.run(request)
    }
}
