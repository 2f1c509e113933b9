import ByteIO
import CAVShim

/// Carries a thumbnail request out: finds the pictures, and writes each.
///
/// Thread safety: used by the job's thread.
struct PictureTaking {
    private let request: Thumbnail
    private let job: Job
    /// Pictures that are looked at for one that is chosen, and at least for one of several.
    private static let candidates = 12
    private static let fewestCandidates = 4

    init(_ request: Thumbnail, job: Job) {
        self.request = request
        self.job = job
    }

    func run() throws -> ThumbnailResult {
        let format = try ImageFormat.resolve(request.format, output: request.output)
        let names = request.names
        let sinks = try names.map { try job.sink($0, overwrite: request.overwrite) }
        let demuxer = try job.open(request.input, analysis: .headerIfPicturesAreKnown)
        let video = try StreamSelection(video: request.track).chooseVideo(demuxer)
        var outputs: [Int: ThumbnailResult.Output] = [:]
        // Each is written once it is found: a thousand pictures are not held in memory.
        func write(_ number: Int, _ frame: Frame, _ time: Int64?, of stream: InputStream) throws {
            try job.control.checkpoint()
            do {
                var output = try self.write(frame, of: stream, format, to: sinks[number])
                output.output = names[number].shownLocation
                output.time = time.map { Double($0) / 1e6 }
                outputs[number] = output
            } catch let error as MediaError {
                throw error.naming(demuxer.name)
            }
        }
        if let video {
            try pictures(of: video, demuxer) { try write($0, $1.frame, $1.time, of: video) }
        } else if let cover = demuxer.streams.first(where: { $0.kind == .attachedPicture }) {
            guard names.count == 1 else {
                throw MediaError(
                    .badInput, "there is sound and a cover in it, and a cover is a single picture",
                    hint: "ask for one picture", input: demuxer.name)
            }
            try write(0, try self.cover(cover, demuxer), nil, of: cover)
        } else {
            throw MediaError(
                .badInput, "there are no pictures in it, not even a cover",
                hint: "`waveform` makes a picture of sound", input: demuxer.name)
        }
        job.countRead(demuxer)
        try Publication.publish(sinks)
        let elapsed = job.elapsed
        return ThumbnailResult(
            outputs: names.indices.compactMap { outputs[$0] }, format: format, isCover: video == nil,
            bytesRead: job.bytesRead,
            wallSeconds: elapsed.wall, cpuSeconds: elapsed.cpu, warnings: job.control.warnings.all,
            libraries: LibavLibrary.versions)
    }

    private func write(
        _ frame: Frame, of stream: InputStream, _ format: ImageFormat, to sink: any ByteSink
    ) throws -> ThumbnailResult.Output {
        let file = try StillPicture(format: format, quality: request.quality, control: job.control).file(
            of: frame, timeBase: stream.timeBase, orientation: stream.orientation, aspect: stream.sampleAspectRatio,
            size: request.size)
        try ImageOutput.write(file.bytes, to: sink, control: job.control)
        return ThumbnailResult.Output(
            output: "", width: file.width, height: file.height, bytes: Int64(file.bytes.count))
    }

    // MARK: Which

    /// Takes a picture, of the number that is given first.
    private typealias Taker = (Int, PictureReader.Picture) throws -> Void

    private func pictures(of stream: InputStream, _ demuxer: Demuxer, _ take: Taker) throws {
        let reader = try PictureReader(
            stream, demuxer: demuxer, tolerance: request.tolerance, control: job.control)
        let isWhole = try request.at.isEmpty ? best(reader, stream, demuxer, take) : asked(reader, demuxer, take)
        guard isWhole else {
            throw MediaError(
                .badInput, "nothing in it could be decoded as \(stream.codecName)", input: demuxer.name,
                stream: stream.index, log: job.control.log.recent())
        }
    }

    /// The pictures at the moments that were named, taken in the film's order.
    ///
    /// - Returns: whether there was one for each.
    private func asked(_ reader: PictureReader, _ demuxer: Demuxer, _ take: Taker) throws -> Bool {
        let times = try request.at.map { moment -> Int64 in
            switch moment {
            case .seconds(let value):
                if let duration = demuxer.duration, value * 1e6 > Double(duration) + 500_000 {
                    throw MediaError(
                        .badRequest, "\(value) s lies behind the end of the input (\(Double(duration) / 1e6) s)",
                        input: demuxer.name)
                }
                return Int64(clamping: value * 1e6)
            case .fraction(let value):
                guard let duration = demuxer.duration else {
                    throw MediaError(
                        .unsupported, "the input does not say how long it is", hint: "name seconds instead of a share",
                        input: demuxer.name)
                }
                return Int64(Double(duration) * value)
            }
        }
        for (index, time) in times.enumerated().sorted(by: { $0.element < $1.element }) {
            guard let picture = try reader.picture(at: time) else { return false }
            // The same picture may be wanted twice.
            try take(index, PictureReader.Picture(frame: try picture.frame.ref(), time: picture.time))
        }
        return true
    }

    /// The best picture of each part of the film.
    ///
    /// - Returns: whether there was one for each.
    private func best(
        _ reader: PictureReader, _ stream: InputStream, _ demuxer: Demuxer, _ take: Taker
    ) throws -> Bool {
        // Sound may go on behind the last picture.
        let end = stream.promisedEnd.map { $0 - demuxer.presentationStart }.flatMap { $0 > 0 ? $0 : nil }
        guard let duration = end ?? demuxer.duration, demuxer.isSeekable else {
            guard request.count == 1 else {
                throw MediaError(
                    .unsupported, "several pictures are looked for in a file that can be read at any place",
                    hint: "write it to a file first, or name moments", input: demuxer.name)
            }
            guard let picture = try bestOfBeginning(reader, stream) else { return false }
            try take(0, picture)
            return true
        }
        let perPart = max(Self.fewestCandidates, Self.candidates / request.count)
        var earlier: Int64?
        for part in 0..<request.count {
            var best: (picture: PictureReader.Picture, score: Double)?
            for candidate in 0..<perPart {
                let place = (Double(part) + (Double(candidate) + 0.5) / Double(perPart)) / Double(request.count)
                let time = Int64(Double(duration) * place)
                guard let picture = try reader.picture(near: time, after: earlier) else { continue }
                earlier = max(earlier ?? .min, picture.time)
                let score = try PictureScore.of(picture.frame, timeBase: stream.timeBase, control: job.control)
                if score > best?.score ?? -.infinity {
                    best = (PictureReader.Picture(frame: try picture.frame.ref(), time: picture.time), score)
                }
            }
            guard let best else { return false }
            try take(part, best.picture)
        }
        return true
    }

    /// Of a pipe, the best picture of the first minute, one a second.
    private func bestOfBeginning(
        _ reader: PictureReader, _ stream: InputStream
    ) throws -> PictureReader.Picture? {
        var best: (picture: PictureReader.Picture, score: Double)?
        var due: Int64 = 0
        while let picture = try reader.next(), picture.time < 60_000_000 || best == nil {
            guard picture.time >= due || best == nil else { continue }
            due = picture.time + 1_000_000
            let score = try PictureScore.of(picture.frame, timeBase: stream.timeBase, control: job.control)
            if score > best?.score ?? -.infinity { best = (picture, score) }
        }
        return best?.picture
    }

    /// The picture that comes with a file of sound.
    private func cover(_ stream: InputStream, _ demuxer: Demuxer) throws -> Frame {
        let packet = try Packet()
        // libav has read it along with the header.
        if stream.raw.pointee.attached_pic.size > 0 {
            try check(av_packet_ref(packet.raw, &stream.raw.pointee.attached_pic), "cannot take the cover")
        } else {
            demuxer.discard(allBut: [stream.index])
            repeat {
                packet.unref()
                guard try demuxer.read(into: packet) else { break }
            } while packet.stream != stream.index
        }
        let decoder = try Decoder(stream: stream, settings: Decoder.Settings(), control: job.control)
        let frame = try Frame()
        if packet.size > 0 {
            _ = try decoder.send(packet)
            _ = try decoder.send(nil)
        }
        guard packet.size > 0, case .ready = try decoder.receive(into: frame) else {
            throw MediaError(
                .badInput, "the cover could not be decoded as \(stream.codecName)", input: demuxer.name,
                stream: stream.index, log: job.control.log.recent())
        }
        return frame
    }
}

/// Writes the bytes of an image.
enum ImageOutput {
    static func write(_ bytes: [UInt8], to sink: any ByteSink, control: JobControl) throws {
        if let limit = control.limits.outputBytes, Int64(bytes.count) > limit {
            throw MediaError.outputTooLarge(sink.name, limit: limit)
        }
        control.onStop { [weak sink] in sink?.cancel() }
        do {
            try bytes.withUnsafeBytes { try sink.write($0) }
        } catch {
            throw MediaError.wrapping(error, input: sink.name)
        }
    }
}
