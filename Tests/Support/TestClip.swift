/// A clip whose every picture and sample is known: uncompressed in Matroska, written by the tests themselves, so that
/// nothing of the engine is trusted to make its own questions.
public struct TestClip: Sendable {
    public struct Video: Sendable {
        public var width = 160
        public var height = 96
        /// Milliseconds at which each picture is shown.
        public var times: [Int]
        /// Nanoseconds of one picture, for constant rates.
        public var frameNanoseconds: Int?
        /// "I420", or "Y3" with 10 bits.
        public var isDeep = false
        /// Shape of a pixel: the width that it is shown with, in pixels; `nil` for square ones.
        public var displayWidth: Int?
        /// Degrees counterclockwise, in Matroska's projection element.
        public var isInterlaced = false
        /// Codes of ITU-T H.273; 2 is "unspecified".
        public var primaries = 2
        public var transfer = 2
        public var matrix = 2
        /// 1 is limited, 2 is full, 0 unspecified.
        public var range = 0
        /// Draws a picture: luma by (x, y), for a picture's number; `nil` draws the number itself.
        public var luma: (@Sendable (_ number: Int, _ x: Int, _ y: Int) -> UInt8)?
        /// The same value for all of each chroma plane.
        public var chroma: (u: UInt8, v: UInt8) = (128, 128)

        public init(frames: Int, rate: Int = 25, width: Int = 160, height: Int = 96) {
            self.width = width
            self.height = height
            times = (0..<frames).map { $0 * 1000 / rate }
            frameNanoseconds = 1_000_000_000 / rate
        }

        /// Pictures at uneven times.
        public init(times: [Int], width: Int = 160, height: Int = 96) {
            self.width = width
            self.height = height
            self.times = times
        }
    }

    public struct Audio: Sendable {
        public var sampleRate = 48000
        public var channels = 1
        public var seconds: Double
        /// Milliseconds at which it starts.
        public var start = 0
        public var language: String?
        public var isDefault = true
        /// Milliseconds of its own time that the file leaves out, as a recorder does that lost something; multiples of 20.
        public var missing: Range<Int>?
        /// The sample of a channel at a second of its own time, −1…1.
        public var sample: @Sendable (_ seconds: Double, _ channel: Int) -> Double

        public init(
            seconds: Double, sampleRate: Int = 48000, channels: Int = 1, start: Int = 0, language: String? = nil,
            sample: @escaping @Sendable (_ seconds: Double, _ channel: Int) -> Double = TestClip.tones
        ) {
            self.seconds = seconds
            self.sampleRate = sampleRate
            self.channels = channels
            self.start = start
            self.language = language
            self.sample = sample
        }
    }

    public struct Text: Sendable {
        public var cues: [(start: Int, end: Int, text: String)]
        public var language: String
        public init(_ cues: [(start: Int, end: Int, text: String)], language: String = "eng") {
            self.cues = cues
            self.language = language
        }
    }

    public var video: Video?
    public var audio: [Audio]
    public var texts: [Text] = []
    public var title: String?
    /// Milliseconds and titles.
    public var chapters: [(start: Int, end: Int, title: String)] = []

    public init(video: Video? = nil, audio: [Audio] = []) {
        self.video = video
        self.audio = audio
    }

    /// Moving picture and tones of `seconds`, 25 pictures a second: the ordinary case.
    public static func ordinary(seconds: Double, width: Int = 160, height: Int = 96, channels: Int = 1) -> TestClip {
        TestClip(
            video: Video(frames: Int(seconds * 25), width: width, height: height),
            audio: [Audio(seconds: seconds, channels: channels)])
    }

    /// Second n sounds with 400 + 100·n Hz; channel c is 1000·c Hz higher.
    public static func frequency(second: Int, channel: Int = 0) -> Double {
        Double(400 + 100 * second + 1000 * channel)
    }

    @Sendable public static func tones(_ seconds: Double, _ channel: Int) -> Double {
        let second = Int(seconds.rounded(.down))
        return 0.25 * sine(2 * .pi * frequency(second: second, channel: channel) * (seconds - Double(second)))
    }
}

import Glibc

private func sine(_ x: Double) -> Double { sin(x) }

// MARK: Pictures that tell their number

extension TestClip {
    /// The number is written in 12 bits, as black and white blocks across the upper half.
    static let numberBits = 12

    static func numbered(_ number: Int, _ x: Int, _ y: Int, width: Int, height: Int) -> UInt8 {
        if y < height / 2 {
            let bit = min(numberBits - 1, x * numberBits / width)
            return number >> bit & 1 == 1 ? 220 : 30
        }
        // Below: dark on the left, bright on the right, and a box that moves to the right.
        let box = (number * 4) % width
        if y > height * 3 / 4, x >= box, x < box + width / 8 { return 235 }
        return x < width / 2 ? 70 : 150
    }

    /// The number that a picture shows, however it was scaled; `nil` if it is unreadable.
    public static func number(in picture: Plane) -> Int? {
        var number = 0
        for bit in 0..<numberBits {
            let x = (2 * bit + 1) * picture.width / (2 * numberBits)
            let value = Int(picture[x, picture.height / 4])
            if abs(value - 125) < 40 { return nil }
            if value > 125 { number |= 1 << bit }
        }
        return number
    }
}

// MARK: Bytes

extension TestClip {
    private typealias M = MatroskaBytes

    /// What every Matroska file begins with.
    static let header = M.element(
        0x1A45_DFA3,
        [
            M.element(0x4286, 1), M.element(0x42F7, 1), M.element(0x42F2, 4), M.element(0x42F3, 8),
            M.element(0x4282, "matroska"), M.element(0x4287, 4), M.element(0x4285, 2),
        ])

    /// What comes before the chapters and the first cluster: how long it is, and its tracks.
    var preamble: [[UInt8]] {
        var info = [
            M.element(0x2AD7B1, 1_000_000), M.element(0x4D80, "tests"), M.element(0x5741, "tests"),
            M.element(0x4489, Double(end)),
        ]
        if let title { info.append(M.element(0x7BA9, title)) }
        return [M.element(0x1549_A966, info), M.element(0x1654_AE6B, tracks)]
    }

    /// The whole file.
    public var bytes: [UInt8] {
        var parts = preamble
        if !chapters.isEmpty { parts.append(chapterElement) }
        for block in blocks.sorted(by: { ($0.time, $0.track) < ($1.time, $1.track) }) {
            // A cluster each: the time needs no 16-bit offset then.
            let head: [UInt8] = [0x80 | UInt8(block.track), 0, 0]
            let body: [UInt8]
            if let duration = block.duration {
                body = M.element(0xA0, [M.element(0xA1, head + [0] + block.data), M.element(0x9B, duration)])
            } else {
                body = M.element(0xA3, head + [0x80] + block.data)
            }
            parts.append(M.element(0x1F43_B675, [M.element(0xE7, block.time), body]))
        }
        return Self.header + M.element(0x1853_8067, parts)
    }

    /// Milliseconds.
    private var end: Int {
        let pictures = video.map { ($0.times.last ?? 0) + ($0.frameNanoseconds ?? 40_000_000) / 1_000_000 } ?? 0
        return max(pictures, audio.map { $0.start + Int($0.seconds * 1000) }.max() ?? 0)
    }

    private var tracks: [[UInt8]] {
        var entries: [[UInt8]] = []
        func add(_ type: Int, _ codec: String, _ more: [[UInt8]]) {
            let number = entries.count + 1
            entries.append(
                M.element(
                    0xAE,
                    [M.element(0xD7, number), M.element(0x73C5, number), M.element(0x83, type), M.element(0x86, codec)]
                        + more))
        }
        if let video {
            let aspect = video.displayWidth.map { [M.element(0x54B0, $0), M.element(0x54BA, video.height)] } ?? []
            let color = M.element(
                0x55B0,
                [
                    M.element(0x55B1, video.matrix), M.element(0x55B9, video.range), M.element(0x55BA, video.transfer),
                    M.element(0x55BB, video.primaries),
                ])
            let settings =
                [
                    M.element(0xB0, video.width), M.element(0xBA, video.height),
                    M.element(0x9A, video.isInterlaced ? 1 : 2),
                    M.element(0x2EB524, video.isDeep ? [0x59, 0x33, 11, 10] : Array("I420".utf8)), color,
                ] + (video.isInterlaced ? [M.element(0x9D, 1)] : []) + aspect
            let rate = video.frameNanoseconds.map { [M.element(0x23E383, $0)] } ?? []
            add(1, "V_UNCOMPRESSED", rate + [M.element(0xE0, settings)])
        }
        for track in audio {
            let settings = [
                M.element(0xB5, Double(track.sampleRate)), M.element(0x9F, track.channels), M.element(0x6264, 16),
            ]
            add(
                2, "A_PCM/INT/LIT",
                [
                    M.element(0x88, track.isDefault ? 1 : 0), M.element(0x22B59C, track.language ?? "und"),
                    M.element(0xE1, settings),
                ])
        }
        for track in texts { add(17, "S_TEXT/UTF8", [M.element(0x22B59C, track.language)]) }
        return entries
    }

    private var chapterElement: [UInt8] {
        let atoms = chapters.enumerated().map { index, chapter in
            M.element(
                0xB6,
                [
                    M.element(0x73C4, index + 1), M.element(0x91, chapter.start * 1_000_000),
                    M.element(0x92, chapter.end * 1_000_000),
                    M.element(0x80, [M.element(0x85, chapter.title), M.element(0x437C, "eng")]),
                ])
        }
        return M.element(0x1043_A770, M.element(0x45B9, [M.element(0x45BC, 1)] + atoms))
    }

    private struct Block {
        var track: Int
        var time: Int
        var data: [UInt8]
        var duration: Int?
    }

    private var blocks: [Block] {
        var blocks: [Block] = []
        var track = 0
        if let video {
            track += 1
            for (number, time) in video.times.enumerated() {
                blocks.append(Block(track: track, time: time, data: video.picture(number)))
            }
        }
        for sound in audio {
            track += 1
            // 20 ms each, so that every time is whole.
            let step = sound.sampleRate / 50
            let total = Int((sound.seconds * Double(sound.sampleRate)).rounded())
            for first in stride(from: 0, to: total, by: step) {
                if sound.missing?.contains(first / step * 20) == true { continue }
                let data = sound.samples(first..<min(first + step, total))
                blocks.append(Block(track: track, time: sound.start + first / step * 20, data: data))
            }
        }
        for text in texts {
            track += 1
            for cue in text.cues {
                blocks.append(
                    Block(track: track, time: cue.start, data: Array(cue.text.utf8), duration: cue.end - cue.start))
            }
        }
        return blocks
    }
}

extension TestClip.Video {
    fileprivate func picture(_ number: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(width * height * (isDeep ? 3 : 2))
        if let luma {
            for y in 0..<height { for x in 0..<width { bytes.append(luma(number, x, y)) } }
        } else {
            // It has three kinds of rows, and tests are not compiled to be fast.
            for (from, to) in [(0, height / 2), (height / 2, height * 3 / 4 + 1), (height * 3 / 4 + 1, height)] {
                let row = (0..<width).map { TestClip.numbered(number, $0, from, width: width, height: height) }
                for _ in from..<to { bytes += row }
            }
        }
        let chromaSamples = (width + 1) / 2 * ((height + 1) / 2)
        for value in [chroma.u, chroma.v] { bytes += [UInt8](repeating: value, count: chromaSamples) }
        return isDeep ? bytes.flatMap { [$0 << 2, $0 >> 6] } : bytes
    }
}

extension TestClip.Audio {
    fileprivate func samples(_ range: Range<Int>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count * channels * 2)
        for index in range {
            for channel in 0..<channels {
                let value = sample(Double(index) / Double(sampleRate), channel)
                let whole = UInt16(bitPattern: Int16(max(-32767, min(32767, (value * 32767).rounded()))))
                bytes.append(UInt8(truncatingIfNeeded: whole))
                bytes.append(UInt8(truncatingIfNeeded: whole >> 8))
            }
        }
        return bytes
    }
}
