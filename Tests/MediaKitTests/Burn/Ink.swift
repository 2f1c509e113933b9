import CAVShim
import MediaKit
import TestSupport

/// Where a picture differs from what it would be without captions.
struct Ink: Equatable {
    /// How many samples differ.
    var count: Int
    /// The smallest box around them.
    var columns: Range<Int>
    var rows: Range<Int>

    /// `nil` where no sample differs by more than `threshold`.
    init?(_ picture: Plane, without: Plane, threshold: Int = 8) {
        guard picture.width == without.width, picture.height == without.height else { return nil }
        self.init(picture, expected: without.samples, threshold: threshold)
    }

    /// On a picture that is `value` all over.
    init?(_ picture: Plane, on value: UInt8, threshold: Int = 8) {
        let expected = [UInt8](repeating: value, count: picture.samples.count)
        self.init(picture, expected: expected, threshold: threshold)
    }

    private init?(_ picture: Plane, expected: [UInt8], threshold: Int) {
        var (count, left, right, top, bottom) = (0, Int.max, -1, Int.max, -1)
        picture.samples.withUnsafeBufferPointer { samples in
            expected.withUnsafeBufferPointer { expected in
                var index = 0
                for y in 0..<picture.height {
                    for x in 0..<picture.width {
                        if abs(Int(samples[index]) - Int(expected[index])) > threshold {
                            count += 1
                            left = min(left, x)
                            right = max(right, x)
                            top = min(top, y)
                            bottom = y
                        }
                        index += 1
                    }
                }
            }
        }
        guard count > 0 else { return nil }
        self.count = count
        columns = left..<right + 1
        rows = top..<bottom + 1
    }

    var height: Int { rows.count }
    var width: Int { columns.count }
    var middle: (x: Double, y: Double) {
        (Double(columns.lowerBound + columns.upperBound) / 2, Double(rows.lowerBound + rows.upperBound) / 2)
    }
}

/// The luma of ``burningClip``'s pictures, chroma being neutral.
let burningGray: UInt8 = 100

/// Gray pictures without sound, in which every change is a caption.
func burningClip(
    frames: Int = 1, rate: Int = 25, width: Int = 640, height: Int = 360,
    _ change: (inout TestClip.Video) -> Void = { _ in }
) -> TestClip {
    var video = TestClip.Video(frames: frames, rate: rate, width: width, height: height)
    video.luma = { _, _, _ in burningGray }
    change(&video)
    return TestClip(video: video)
}

/// SubRip from times in milliseconds.
func srt(_ cues: [(start: Int, end: Int, text: String)]) -> String {
    func pad(_ value: Int, _ digits: Int) -> String {
        String(repeating: "0", count: max(0, digits - "\(value)".count)) + "\(value)"
    }
    func time(_ ms: Int) -> String {
        "\(pad(ms / 3_600_000, 2)):\(pad(ms / 60_000 % 60, 2)):\(pad(ms / 1000 % 60, 2)),\(pad(ms % 1000, 3))"
    }
    return cues.enumerated().map { index, cue in
        "\(index + 1)\n\(time(cue.start)) --> \(time(cue.end))\n\(cue.text)\n"
    }.joined(separator: "\n")
}

/// One cue over the first minute.
func srt(_ text: String) -> String { srt([(0, 60_000, text)]) }

extension Workbench {
    /// Burns without loss, so that every sample outside the captions is that of the source.
    @discardableResult
    func burn(
        _ input: String, _ subtitles: SubtitleInput, to name: String = "out.mkv", style: CaptionStyle = CaptionStyle(),
        _ change: (inout BurnSubtitles) -> Void = { _ in }
    ) async throws -> RenderResult {
        var request = BurnSubtitles(input: input, subtitles: subtitles, output: scratch(name), style: style)
        request.video = VideoSettings(codec: .h264, crf: 0, preset: "ultrafast")
        request.overwrite = true
        change(&request)
        return try await engine.run(request)
    }

    /// Burns one caption into one gray picture. Returns the picture's planes.
    func picture(
        _ subtitles: String, style: CaptionStyle = CaptionStyle(), clip: TestClip = burningClip(),
        _ change: (inout BurnSubtitles) -> Void = { _ in }
    ) async throws -> [Plane] {
        try await burn(try put(clip), .text(subtitles), style: style, change)
        let frames = try look("out.mkv", pictureWidth: 8192).video?.frames ?? []
        return frames.first?.planes ?? []
    }

    /// The ink of one caption on gray.
    func ink(
        _ subtitles: String, style: CaptionStyle = CaptionStyle(), clip: TestClip = burningClip(),
        _ change: (inout BurnSubtitles) -> Void = { _ in }
    ) async throws -> Ink? {
        try await picture(subtitles, style: style, clip: clip, change).first.flatMap { Ink($0, on: burningGray) }
    }
}

/// The bytes of a file's packets of one kind, in order.
func packets(of type: AVMediaType, in path: String) -> [[UInt8]] {
    var context: UnsafeMutablePointer<AVFormatContext>?
    guard avformat_open_input(&context, path, nil, nil) >= 0, let input = context else { return [] }
    defer { avformat_close_input(&context) }
    guard avformat_find_stream_info(input, nil) >= 0 else { return [] }
    var packet = av_packet_alloc()
    defer { av_packet_free(&packet) }
    guard let packet else { return [] }
    var found: [[UInt8]] = []
    while av_read_frame(input, packet) >= 0 {
        let stream = input.pointee.streams[Int(packet.pointee.stream_index)]
        if stream?.pointee.codecpar.pointee.codec_type == type {
            found.append(Array(UnsafeBufferPointer(start: packet.pointee.data, count: Int(packet.pointee.size))))
        }
        av_packet_unref(packet)
    }
    return found
}
