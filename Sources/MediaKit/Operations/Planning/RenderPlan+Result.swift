import ByteIO
import CAVShim

// What surrounds the run: the room for the index before it, the result after it.
extension RenderPlan {
    /// The room to keep for an MP4's index; `nil` where it is not to be put first.
    func reservedIndexBytes(sink: any ByteSink) -> Int? {
        guard container.isMovie, request.indexFirst, sink.rewritableHead > 0 else { return nil }
        let seconds = Double(expectedDuration ?? 0) / 1e6
        var outline = MovieOutline()
        outline.otherSamples = texts.reduce(0) { $0 + Int64($1.count) }
        outline.tracks = sounds.count + subtitles.count + texts.count + (pictureStream == nil ? 0 : 1)
        if let stream = pictureStream {
            let rate = drawnFrameRate ?? request.video.frameRate?.rational ?? stream.averageFrameRate
            outline.videoFrames = Int64(clamping: (seconds * (rate.isPositive ? rate.value : 30)).rounded(.up)) + 8
        }
        for sound in sounds {
            let rate = Double(request.audio.sampleRate ?? Int(max(8000, sound.stream.parameters.pointee.sample_rate)))
            outline.audioFrames += Int64(clamping: (seconds * rate / 1024).rounded(.up)) + 8
        }
        return ProgressiveMovieOutput.estimateIndexBytes(outline)
    }

    func result(report: GraphRunner.Report, graph: MediaGraph, bytes: Int64) -> RenderResult {
        let elapsed = job.elapsed
        let streams = streams(report: report, graph: graph)
        let duration = streams.map { $0.start + $0.duration }.max() ?? 0
        return RenderResult(
            output: request.output.shownLocation, container: container, duration: duration, bytes: bytes,
            streams: streams,
            wallSeconds: elapsed.wall, cpuSeconds: elapsed.cpu, speed: duration / max(elapsed.wall, 1e-6),
            bytesRead: job.bytesRead, warnings: job.control.warnings.all, libraries: LibavLibrary.versions)
    }

    private func streams(report: GraphRunner.Report, graph: MediaGraph) -> [RenderResult.Stream] {
        let described = graph.outputs[0].streams
        var encoded: [Int: EncodeTally] = [:]
        for (branch, tally) in zip(graph.branches, report.encoded) {
            if case .encode(_, let slots) = branch.target, let slot = slots.first { encoded[slot.stream] = tally }
        }
        return described.indices.compactMap { index in
            let tally = report.muxed[0][index]
            guard tally.packets > 0 || described[index].isSparse else { return nil }
            guard let source = described[index].sourceStream else { return textResult(index, tally, graph) }
            let stream = demuxer.streams[source]
            let parameters = stream.parameters.pointee
            let format = encoded[index]?.format
            let start = Double(tally.start ?? 0) / 1e6
            let kind = format?.isVideo == true ? .video : stream.kind
            var result = RenderResult.Stream(
                index: index, kind: "\(kind)", codec: encoded[index]?.codec ?? stream.codecName,
                copied: encoded[index] == nil, sourceIndex: source, bytes: tally.bytes, start: max(0, start),
                duration: Double(tally.end ?? 0) / 1e6 - max(0, start))
            switch kind {
            case .video:
                result.width = format?.width ?? Int(parameters.width)
                result.height = format?.height ?? Int(parameters.height)
                result.pixelFormat = PixelFormat(format?.format ?? parameters.format)?.name
                result.frames = tally.packets
            case .audio:
                result.sampleRate = format?.sampleRate ?? Int(parameters.sample_rate)
                result.channels =
                    format.map { ChannelLayout.count($0.channelLayout) } ?? Int(parameters.ch_layout.nb_channels)
            default: break
            }
            return result
        }
    }

    /// Of a track that was made here.
    private func textResult(_ index: Int, _ tally: MuxTally, _ graph: MediaGraph) -> RenderResult.Stream? {
        guard let place = graph.texts.firstIndex(where: { $0.slot.stream == index }) else { return nil }
        let start = Double(tally.start ?? 0) / 1e6
        return RenderResult.Stream(
            index: index, kind: "subtitle", codec: texts[place].codecName, copied: false, sourceIndex: nil,
            bytes: tally.bytes, start: start, duration: Double(tally.end ?? 0) / 1e6 - start)
    }
}
