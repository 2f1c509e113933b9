import ByteIO
import CAVShim
import Glibc

/// What a job's pictures cost step by step, and what no program can go below that makes the same file with the same
/// encoder: the encoder alone, fed with finished pictures that lie in memory.
package struct EncodeFloor: Codable, Sendable, Equatable {
    /// Pictures that were encoded.
    package var frames = 0
    /// CPU seconds of the encoder, all its threads together.
    package var encodeCPU = 0.0
    /// Seconds on the clock during which the encoder was fed and emptied.
    package var encodeWall = 0.0
    /// CPU seconds of reading and decoding, of the filter graph and of captions, each on one thread.
    package var decodeCPU = 0.0
    package var filterCPU = 0.0
    package var captionCPU = 0.0
    /// Bytes of packets that the encoder made.
    package var bytes: Int64 = 0

    /// Makes the pictures of a transcode or burn-in as the job would, some at a time, and encodes them from memory.
    ///
    /// The pictures are made by one thread, whose CPU time is known for itself; what the process uses beyond that is
    /// the encoder's.
    ///
    /// - Parameter memory: bytes of finished pictures that are held at once.
    /// - Throws: ``MediaError``; `bad_request` if the request encodes no pictures.
    package static func measure(_ request: MediaRequest, memory: Int = 192 << 20) async throws -> EncodeFloor {
        try await EngineThread.run(name: "kiln-floor") {
            try Measurement(request).run(memory: memory)
        }
    }

    private final class Measurement {
        private var result = EncodeFloor()
        private let control: JobControl
        private let frames: StreamFrames
        private let plan: PicturePlan
        private let processors: [any FrameProcessor]
        private let settings: EncoderSettings
        private var timeline: PictureTimeline
        private var graph: FilterGraph?
        private var encoder: Encoder?
        private var hasEnded = false

        init(_ request: MediaRequest) throws {
            try LibavLibrary.start()
            control = JobControl(budget: .process, limits: Limits())
            let job = Job(control: control, resolver: LocalResolver(), progress: nil)
            let transcode: Transcode
            let maker: Rendering.ProcessorMaker?
            switch request {
            case .transcode(let asked): (transcode, maker) = (asked, nil)
            case .burnSubtitles(let asked): (transcode, maker) = (asked.transcode, try asked.processors(job))
            default: throw MediaError(.badRequest, "this request makes no pictures")
            }
            let demuxer = try job.open(transcode.input)
            let container = try Container.resolve(transcode.container, output: transcode.output)
            let plan = try RenderPlan(
                transcode, container: container, demuxer: demuxer, job: job, processors: maker)
            let graph = try plan.graph(pass: nil, statisticsPath: nil, sink: MemorySink())
            guard let branch = graph.branches.first(where: { $0.filter.isPicture }),
                case .picture(let picture) = branch.filter, case .encode(let settings, _) = branch.target
            else { throw MediaError(.badRequest, "this request encodes no pictures") }
            let decoded = graph.decoded[branch.sources[0]]
            let stream = demuxer.streams[decoded.source.stream]
            self.plan = picture
            self.settings = settings
            processors = branch.processors
            timeline = PictureTimeline(window: decoded.window, stream: stream)
            frames = try StreamFrames(demuxer: demuxer, stream: stream, threads: 1, control: control)
        }

        func run(memory: Int) throws -> EncodeFloor {
            let process = CPUClock(CLOCK_PROCESS_CPUTIME_ID), own = CPUClock(CLOCK_THREAD_CPUTIME_ID)
            var ownWhileEncoding = 0.0
            while true {
                let pictures = try make(bytes: memory)
                if pictures.isEmpty { break }
                ownWhileEncoding += try encode(pictures)
            }
            ownWhileEncoding += try encode([nil])
            // The encoder's threads have ended what they do between the calls only now.
            encoder = nil
            result.encodeCPU = process.elapsed - own.elapsed + ownWhileEncoding
            return result
        }

        // MARK: Making pictures

        private func make(bytes limit: Int) throws -> [Frame?] {
            var made: [Frame?] = []
            var bytes = 0
            while bytes < limit, !hasEnded {
                let clock = CPUClock(CLOCK_THREAD_CPUTIME_ID)
                let decoded = try frames.next()
                let placed = try decoded.map { try timeline.place($0) } ?? timeline.finish()
                result.decodeCPU += clock.elapsed
                for timed in placed {
                    for frame in try filter(timed) {
                        made.append(frame)
                        bytes += frame.byteCount
                    }
                }
                if decoded == nil || timeline.isPastEnd { hasEnded = true }
            }
            return made
        }

        private func filter(_ timed: TimedFrame) throws -> [Frame] {
            let clock = CPUClock(CLOCK_THREAD_CPUTIME_ID)
            let graph: FilterGraph
            if let open = self.graph {
                graph = open
            } else {
                let format = FrameFormat(frame: timed.frame, timeBase: timed.timeBase, frameRate: timed.frameRate)
                graph = try FilterGraph(
                    sources: [format], text: try plan.text(for: format, first: timed.frame).joined(nothing: "null"),
                    isVideo: true, threads: 1, control: control)
                self.graph = graph
            }
            _ = try graph.push(timed.frame, source: 0)
            var out: [Frame] = []
            while true {
                let frame = try Frame()
                guard case .ready = try graph.pull(into: frame) else { break }
                out.append(frame)
            }
            result.filterCPU += clock.elapsed
            if processors.isEmpty { return out }
            let captions = CPUClock(CLOCK_THREAD_CPUTIME_ID)
            out = try out.map { frame in
                try processors.reduce(frame) { try $1.process($0, timeBase: graph.output.timeBase) }
            }
            result.captionCPU += captions.elapsed
            return out
        }

        // MARK: Encoding them

        /// - Returns: CPU seconds of this thread.
        private func encode(_ pictures: [Frame?]) throws -> Double {
            guard let format = graph?.output else { return 0 }
            let started = ContinuousClock.now, clock = CPUClock(CLOCK_THREAD_CPUTIME_ID)
            let encoder =
                try self.encoder
                ?? Encoder(
                    settings: settings, format: format, first: pictures.first ?? nil, globalHeader: true,
                    statistics: nil, control: control)
            self.encoder = encoder
            let packet = try Packet()
            for picture in pictures {
                picture?.raw.pointee.pict_type = AV_PICTURE_TYPE_NONE
                try encoder.send(picture)
                if picture != nil { result.frames += 1 }
                while case .ready = try encoder.receive(into: packet) {
                    result.bytes += Int64(packet.size)
                    packet.unref()
                }
            }
            result.encodeWall += (ContinuousClock.now - started) / .seconds(1)
            return clock.elapsed
        }
    }

    /// Seconds on one of the system's CPU clocks since it was made.
    private struct CPUClock {
        private let clock: clockid_t
        private let start: Double

        init(_ clock: Int32) {
            self.clock = clock
            start = Self.now(clock)
        }

        var elapsed: Double { Self.now(clock) - start }

        private static func now(_ clock: clockid_t) -> Double {
            var time = timespec()
            clock_gettime(clock, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
    }
}
