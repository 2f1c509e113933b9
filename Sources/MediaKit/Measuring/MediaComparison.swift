import CAVShim
import Glibc

/// How far two files are alike once they are decoded.
package struct MediaComparison: Codable, Sendable, Equatable {
    /// The first video stream of each file against that of the other.
    package struct Pictures: Codable, Sendable, Equatable {
        /// Pictures of each file.
        package var frames: [Int]
        /// Seconds from the first picture's start to the last one's end.
        package var durations: [Double]
        /// Seconds that one picture lasts, on average.
        package var frameSeconds: Double
        /// Decibels over all samples of all planes; 100 where they are the same. `nil` if size or format differ.
        package var psnr: Double?
        /// Decibels of the picture that differs most.
        package var lowestPSNR: Double?
    }

    /// The first sound stream of each file against that of the other.
    package struct Sound: Codable, Sendable, Equatable {
        /// Samples per channel of each file.
        package var samples: [Int]
        /// Hz; `nil` if they differ.
        package var sampleRate: Int?
        /// The root mean square of the difference, full scale being 1. `nil` if rate or channels differ.
        package var difference: Double?
    }

    /// `nil` where neither file has pictures (or sound).
    package var pictures: Pictures?
    package var sound: Sound?

    /// Decodes both files and compares them frame by frame.
    ///
    /// - Throws: ``MediaError`` if one cannot be read.
    package static func of(_ first: String, _ second: String) async throws -> MediaComparison {
        try await EngineThread.run(name: "kiln-compare") {
            let control = JobControl(budget: .process, limits: Limits())
            let job = Job(control: control, resolver: LocalResolver(), progress: nil)
            var result = MediaComparison()
            result.pictures = try comparePictures([first, second], job)
            result.sound = try compareSound([first, second], job)
            return result
        }
    }

    private static func open(_ locations: [String], _ kind: InputStream.Kind, _ job: Job) throws -> [StreamFrames]? {
        let opened = try locations.compactMap { location -> StreamFrames? in
            let demuxer = try job.open(location)
            guard let stream = demuxer.streams.first(where: { $0.kind == kind }) else { return nil }
            return try StreamFrames(
                demuxer: demuxer, stream: stream, threads: kind == .audio ? 1 : job.control.budget.decoderThreads,
                control: job.control)
        }
        if opened.isEmpty { return nil }
        guard opened.count == locations.count else {
            throw MediaError(.badInput, "one of \(locations.joined(separator: " and ")) has no \(kind)")
        }
        return opened
    }

    // MARK: Pictures

    private static func comparePictures(_ locations: [String], _ job: Job) throws -> Pictures? {
        guard let readers = try open(locations, .video, job) else { return nil }
        var frames = [0, 0]
        var spans = readers.map { Span($0.stream) }
        var total = SquaredError()
        var lowest: Double?
        var isAlike = true
        while true {
            let pair = try readers.map { try $0.next() }
            for (index, frame) in pair.enumerated() {
                guard let frame else { continue }
                frames[index] += 1
                spans[index].add(frame)
            }
            guard let a = pair[0], let b = pair[1] else {
                if pair[0] == nil, pair[1] == nil { break }
                continue
            }
            if let error = SquaredError(a, b) {
                total.add(error)
                lowest = min(lowest ?? .infinity, error.psnr)
            } else {
                isAlike = false
            }
        }
        return Pictures(
            frames: frames, durations: spans.map(\.seconds), frameSeconds: spans[0].seconds / Double(max(1, frames[0])),
            psnr: isAlike && total.count > 0 ? total.psnr : nil, lowestPSNR: isAlike ? lowest : nil)
    }

    private struct Span {
        private var start = Double.infinity
        private var end = -Double.infinity
        private let timeBase: Rational
        private let usualDuration: Int64
        var seconds: Double { max(0, end - start) }

        init(_ stream: InputStream) {
            timeBase = stream.timeBase
            // Not every demuxer tells how long a picture lasts.
            let rate = stream.averageFrameRate
            usualDuration = rate.isPositive ? rate.inverse.rescale(1, to: timeBase) : 0
        }

        mutating func add(_ frame: Frame) {
            guard let pts = frame.bestEffortTimestamp ?? frame.pts else { return }
            start = min(start, timeBase.seconds(pts))
            end = max(end, timeBase.seconds(pts + (frame.duration > 0 ? frame.duration : usualDuration)))
        }
    }

    /// Squared differences of samples of 8 bits.
    private struct SquaredError {
        var sum = 0.0
        var count = 0

        init() {}

        /// `nil` if the pictures are not of one size, or not of one planar format with 8 bits.
        init?(_ a: Frame, _ b: Frame) {
            guard a.width == b.width, a.height == b.height, let format = PixelFormat(a.format),
                let other = PixelFormat(b.format), format.bitDepth == 8, other.bitDepth == 8, format.isPlanar,
                format.componentCount == other.componentCount, format.log2ChromaWidth == other.log2ChromaWidth,
                format.log2ChromaHeight == other.log2ChromaHeight
            else { return nil }
            for index in 0..<format.componentCount {
                guard let left = a.plane(index), let right = b.plane(index) else { return nil }
                let isChroma = index == 1 || index == 2
                let width = isChroma ? -(-a.width >> format.log2ChromaWidth) : a.width
                let height = isChroma ? -(-a.height >> format.log2ChromaHeight) : a.height
                for row in 0..<height {
                    sum += Double(
                        Self.squares(left.base + row * left.stride, right.base + row * right.stride, count: width))
                }
                count += width * height
            }
        }

        mutating func add(_ other: SquaredError) {
            sum += other.sum
            count += other.count
        }

        var psnr: Double { sum == 0 ? 100 : 10 * log10(255 * 255 * Double(count) / sum) }

        private static func squares(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, count: Int) -> UInt64 {
            var sum: UInt64 = 0
            for index in 0..<count {
                let difference = Int32(a[index]) - Int32(b[index])
                sum &+= UInt64(truncatingIfNeeded: difference &* difference)
            }
            return sum
        }
    }

    // MARK: Sound

    private static func compareSound(_ locations: [String], _ job: Job) throws -> Sound? {
        guard let readers = try open(locations, .audio, job) else { return nil }
        var runs = readers.map { SampleRun(frames: $0) }
        var compared = 0
        var sum = 0.0
        while true {
            for index in runs.indices { try runs[index].fill() }
            let channels = runs[0].held.count
            guard channels > 0, channels == runs[1].held.count, runs[0].rate == runs[1].rate else { break }
            let count = min(runs[0].held[0].count, runs[1].held[0].count)
            if count == 0 { break }
            for channel in 0..<channels {
                for index in 0..<count {
                    let difference = Double(runs[0].held[channel][index] - runs[1].held[channel][index])
                    sum += difference * difference
                }
            }
            compared += count * channels
            for index in runs.indices { runs[index].drop(count) }
        }
        // What only one of them has is counted, not compared.
        for index in runs.indices { try runs[index].drain() }
        return Sound(
            samples: runs.map(\.total), sampleRate: runs[0].rate == runs[1].rate ? runs[0].rate : nil,
            difference: compared > 0 ? (sum / Double(compared)).squareRoot() : nil)
    }

    /// Decoded samples by channel that wait to be compared.
    private struct SampleRun {
        let frames: StreamFrames
        var held: [[Float]] = []
        var total = 0
        var rate = 0

        init(frames: StreamFrames) { self.frames = frames }

        mutating func fill() throws {
            while held.first?.isEmpty ?? true, let frame = try frames.next() {
                held = try frame.floatSamples()
                rate = frame.sampleRate
                total += frame.sampleCount
            }
        }

        mutating func drop(_ count: Int) {
            for channel in held.indices { held[channel].removeFirst(count) }
        }

        mutating func drain() throws {
            while let frame = try frames.next() { total += frame.sampleCount }
        }
    }
}

extension Frame {
    /// The samples by channel, full scale being 1.
    ///
    /// - Throws: `unsupported` for formats that no decoder of ours gives.
    fileprivate func floatSamples() throws -> [[Float]] {
        let format = AVSampleFormat(rawValue: format)
        let channels = channelCount, count = sampleCount
        let isPlanar = av_sample_fmt_is_planar(format) != 0
        return try (0..<channels).map { channel in
            guard let base = raw.pointee.extended_data[isPlanar ? channel : 0] else { return [] }
            let first = isPlanar ? 0 : channel, step = isPlanar ? 1 : channels
            func read<Sample>(_ type: Sample.Type, _ convert: (Sample) -> Float) -> [Float] {
                base.withMemoryRebound(to: type, capacity: count * step) { samples in
                    (0..<count).map { convert(samples[first + $0 * step]) }
                }
            }
            switch av_get_packed_sample_fmt(format) {
            case AV_SAMPLE_FMT_FLT: return read(Float.self) { $0 }
            case AV_SAMPLE_FMT_S16: return read(Int16.self) { Float($0) / 32768 }
            case AV_SAMPLE_FMT_S32: return read(Int32.self) { Float($0) / 2_147_483_648 }
            default: throw MediaError(.unsupported, "these sound samples cannot be compared")
            }
        }
    }
}
