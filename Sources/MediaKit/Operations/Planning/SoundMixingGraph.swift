import ByteIO
import CAVShim

/// Writes a mix down as a graph: one branch of all voices, and the streams of the video that are copied.
struct SoundMixingGraph {
    let request: MixAudio
    let container: Container
    let sink: any ByteSink
    /// The video's pictures; its input is the first that is open.
    let picture: InputStream?
    let voices: [SoundMixing.Voice]
    let demuxers: [Demuxer]

    func graph(_ mix: MixPlan, _ choice: AudioEncoderChoice, job: Job) throws -> MediaGraph {
        var graph = MediaGraph()
        var output = MediaGraph.Output(container: container.muxer)
        output.bitexact = request.bitexact
        output.options = options(job)
        if let picture { addPicture(picture, &graph, &output) }
        addSound(mix, choice, &graph, &output)
        if let picture { addSubtitles(of: picture.demuxer, &graph, &output, job) }
        graph.outputs = [output]
        return graph
    }

    private func addPicture(_ picture: InputStream, _ graph: inout MediaGraph, _ output: inout MediaGraph.Output) {
        var copied = MediaGraph.CopiedStream(
            source: .init(input: 0, stream: picture.index), window: window, slot: .init(output: 0, stream: 0))
        if picture.codecID == AV_CODEC_ID_HEVC, container.isMovie { copied.codecTag = "hvc1" }
        graph.copied.append(copied)
        var described = described(picture)
        described.sideData = [
            AV_PKT_DATA_MASTERING_DISPLAY_METADATA, AV_PKT_DATA_CONTENT_LIGHT_LEVEL, AV_PKT_DATA_DISPLAYMATRIX,
        ].compactMap { type in picture.sideData(type).map { (type, Array($0)) } }
        output.streams.append(described)
    }

    private func addSound(
        _ mix: MixPlan, _ choice: AudioEncoderChoice, _ graph: inout MediaGraph, _ output: inout MediaGraph.Output
    ) {
        var mix = mix
        mix.output = choice.plan
        // It is applied before the limiter.
        mix.output.gain = nil
        for voice in voices {
            graph.decoded.append(
                MediaGraph.DecodedStream(
                    source: .init(input: voice.place, stream: voice.stream.index), window: voice.window))
        }
        graph.branches = [
            MediaGraph.Branch(
                sources: Array(voices.indices), filter: .soundMix(mix),
                target: .encode(choice.settings, to: [.init(output: 0, stream: output.streams.count)]))
        ]
        var stream = MediaGraph.OutputStream(disposition: AV_DISPOSITION_DEFAULT)
        if let language = voices.first?.stream.language { stream.tags = [("language", language)] }
        output.streams.append(stream)
    }

    private func addSubtitles(
        of demuxer: Demuxer, _ graph: inout MediaGraph, _ output: inout MediaGraph.Output, _ job: Job
    ) {
        for stream in demuxer.streams where stream.kind == .subtitle {
            guard container.canHoldSubtitles(stream.codecID) else {
                job.control.warnings.add(
                    MediaWarning(
                        .droppedStream, "\(stream.codecName) subtitles do not go into a \(container.rawValue) file",
                        stream: stream.index))
                continue
            }
            graph.copied.append(
                MediaGraph.CopiedStream(
                    source: .init(input: 0, stream: stream.index), window: window,
                    slot: .init(output: 0, stream: output.streams.count), isSparse: true))
            var described = described(stream)
            described.isSparse = true
            output.streams.append(described)
        }
    }

    /// All of the video.
    private var window: MediaGraph.Window {
        MediaGraph.Window(origin: demuxers.first?.presentationStart ?? 0)
    }

    private func described(_ stream: InputStream) -> MediaGraph.OutputStream {
        let kept: Set = ["language", "title", "handler_name"]
        return MediaGraph.OutputStream(
            tags: stream.tags.filter { kept.contains($0.key.lowercased()) },
            disposition: stream.raw.pointee.disposition & ~AV_DISPOSITION_ATTACHED_PIC, sourceStream: stream.index)
    }

    private func options(_ job: Job) -> [String: String] {
        if container.isMovie, sink.rewritableHead == 0 {
            job.control.warnings.add(
                MediaWarning(
                    .container, "the output cannot be written out of order, so it is a fragmented \(container.rawValue)"
                ))
            return Container.fragmented
        }
        return container == .mp3 ? ["id3v2_version": "3"] : [:]
    }
}
