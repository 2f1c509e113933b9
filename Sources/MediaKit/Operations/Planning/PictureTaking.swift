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
        let still = StillPicture(format: format, quality: request.quality, control: job.control)
        let demuxer = try job.open(request.input, analysis: .headerIfPicturesAreKnown)
        let video = try StreamSelection(video: request.track).chooseVideo(demuxer)
        let taken: [(frame: Frame, time: Double?)]
        let stream: InputStream
        if let video {
            stream = video
            taken = try pictures(of: video, demuxer).map { ($0.frame, Double($0.time) / 1e6) }
        } else if let cover = demuxer.streams.first(where: { $0.kind == .attachedPicture }) {
            guard names.count == 1 else {
                throw MediaError(
                    .badInput, "there is sound and a cover in it, and a cover is a single picture",
                    hint: "ask for one picture", input: demuxer.name)
            }
            stream = cover
            taken = [(try self.cover(cover, demuxer), nil)]
        } else {
            throw MediaError(
                .badInput, "there are no pictures in it, not even a cover",
                hint: "`waveform` makes a picture of sound", input: demuxer.name)
        }
        var outputs: [ThumbnailResult.Output] = []
        for (index, picture) in taken.enumerated() {
            try job.control.checkpoint()
            let file = try still.file(
                of: picture.frame, timeBase: stream.timeBase, orientation: stream.orientation,
                aspect: stream.sampleAspectRatio, size: request.size)
            try ImageOutput.write(file.bytes, to: sinks[index], control: job.control)
            outputs.append(
                ThumbnailResult.Output(
                    output: names[index].shownLocation, time: picture.time, width: file.width, height: file.height,
                    bytes: Int64(file.bytes.count)))
        }
        job.countRead(demuxer)
        try Publication.publish(sinks)
        let elapsed = job.elapsed
        return ThumbnailResult(
            outputs: outputs, format: format, isCover: video == nil, bytesRead: job.bytesRead,
            wallSeconds: elapsed.wall, cpuSeconds: elapsed.cpu, warnings: job.control.warnings.all,
            libraries: LibavLibrary.versions)
    }

    // MARK: Which

    private func pictures(of stream: InputStream, _ demuxer: Demuxer) throws -> [PictureReader.Picture] {
        let reader = try PictureReader(
            stream, demuxer: demuxer, tolerance: request.tolerance, control: job.control)
        let found = request.at.isEmpty ? try best(reader, stream, demuxer) : try asked(reader, demuxer)
        guard found.count == request.names.count else {
            throw MediaError(
                .badInput, "nothing in it could be decoded as \(stream.codecName)", input: demuxer.name,
                stream: stream.index, log: job.control.log.recent())
        }
        return found
    }

    /// The pictures at the moments that were named, in their order, taken in the film's.
    private func asked(_ reader: PictureReader, _ demuxer: Demuxer) throws -> [PictureReader.Picture] {
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
        var found: [Int: PictureReader.Picture] = [:]
        for (index, time) in times.enumerated().sorted(by: { $0.element < $1.element }) {
            guard let picture = try reader.picture(at: time) else { return [] }
            // The same picture may be wanted twice.
            found[index] = PictureReader.Picture(frame: try picture.frame.ref(), time: picture.time)
        }
        return times.indices.compactMap { found[$0] }
    }

    /// The best picture of each part of the film.
    private func best(
        _ reader: PictureReader, _ stream: InputStream, _ demuxer: Demuxer
    ) throws -> [PictureReader.Picture] {
        guard let duration = demuxer.duration, demuxer.isSeekable else {
            guard request.count == 1 else {
                throw MediaError(
                    .unsupported, "several pictures are looked for in a file that can be read at any place",
                    hint: "write it to a file first, or name moments", input: demuxer.name)
            }
            return try bestOfBeginning(reader, stream)
        }
        let perPart = max(Self.fewestCandidates, Self.candidates / request.count)
        var chosen: [PictureReader.Picture] = []
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
            if let best { chosen.append(best.picture) }
        }
        return chosen
    }

    /// Of a pipe, the best picture of the first minute, one a second.
    private func bestOfBeginning(
        _ reader: PictureReader, _ stream: InputStream
    ) throws -> [PictureReader.Picture] {
        var best: (picture: PictureReader.Picture, score: Double)?
        var due: Int64 = 0
        while let picture = try reader.next(), picture.time < 60_000_000 || best == nil {
            guard picture.time >= due || best == nil else { continue }
            due = picture.time + 1_000_000
            let score = try PictureScore.of(picture.frame, timeBase: stream.timeBase, control: job.control)
            if score > best?.score ?? -.infinity { best = (picture, score) }
        }
        return best.map { [$0.picture] } ?? []
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
