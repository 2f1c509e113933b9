import CAVShim

/// Judges after a run whether the input was whole: a truncated or damaged input is never a silent success.
struct InputVerdict {
    let tolerance: Tolerance
    let demuxer: Demuxer
    let control: JobControl

    /// Adds warnings, or throws `bad_input` where more was lost than the tolerance allows.
    func judge(graph: MediaGraph, report: GraphRunner.Report) throws {
        for (decoded, tally) in zip(graph.decoded, report.decoded) {
            try judge(demuxer.streams[decoded.source.stream], decoded.window, tally)
        }
        for copied in graph.copied where !copied.isSparse {
            let stream = demuxer.streams[copied.source.stream]
            let tally = report.muxed[copied.slot.output][copied.slot.stream]
            guard copied.window.end == nil else { continue }
            try judgeLength(stream, copied.window, reached: tally.end)
        }
    }

    private func judge(_ stream: InputStream, _ window: MediaGraph.Window, _ tally: DecodeTally) throws {
        guard tally.frames > 0 || tally.packets == 0 && window.isTrimmed else {
            throw MediaError(
                .badInput, "nothing in it could be decoded as \(stream.codecName)", input: demuxer.name,
                stream: stream.index, log: control.log.recent())
        }
        let lost = Int64(tally.refusedPackets)
        let total = lost + tally.frames
        if lost > 0 {
            let share = Double(lost) / Double(total)
            let text = "\(lost) of \(total) frames could not be decoded"
            guard share <= tolerance.lostFrames else { throw tooMuchLost(text, stream) }
            control.warnings.add(MediaWarning(.lostFrames, text, stream: stream.index))
        }
        if tally.damagedFrames > 0 {
            control.warnings.add(
                MediaWarning(
                    .concealedFrames, "\(tally.damagedFrames) of \(tally.frames) frames were damaged and mended",
                    stream: stream.index))
        }
        if !tally.reachedWindowEnd { try judgeLength(stream, window, reached: tally.end, within: window.end) }
    }

    /// Compares where a stream ended with where it should have.
    ///
    /// - Parameters:
    ///   - reached: microseconds of the result's time.
    ///   - end: where the window ends, at most as far as the stream is looked at.
    private func judgeLength(
        _ stream: InputStream, _ window: MediaGraph.Window, reached: Int64?, within end: Int64? = nil
    ) throws {
        guard var expected = stream.expectedEnd.map({ $0 - window.origin }), let reached else { return }
        if let end { expected = min(expected, end) }
        let start = max(
            0, (stream.startTime.map { stream.timeBase.rescale($0, to: .microseconds) } ?? 0) - window.origin)
        let length = expected - start
        let missing = expected - reached
        // Half a second is within what containers get wrong.
        guard length > 0, missing > 500_000 else { return }
        let text =
            "it ends after \(Self.seconds(reached - start)) of the \(Self.seconds(length)) that its header promises"
        guard Double(missing) <= Double(length) * tolerance.lostFrames else { throw tooMuchLost(text, stream) }
        control.warnings.add(MediaWarning(.durationMismatch, text, stream: stream.index))
    }

    private func tooMuchLost(_ text: String, _ stream: InputStream) -> MediaError {
        MediaError(
            .badInput, "the \(stream.codecName) stream is damaged or truncated: \(text)",
            hint: "raise tolerance.lostFrames (now \(tolerance.lostFrames)) to take what there is",
            input: demuxer.name, stream: stream.index, log: control.log.recent())
    }

    private static func seconds(_ microseconds: Int64) -> String {
        let hundredths = (Double(microseconds) / 1e4).rounded() / 100
        return "\(hundredths) s"
    }
}

extension InputStream {
    /// Where the stream should end by what its container says of it, in microseconds of the input's clock; `nil`
    /// where the container only guesses.
    var expectedEnd: Int64? {
        let start = startTime.map { timeBase.rescale($0, to: .microseconds) } ?? 0
        if let duration, demuxer.raw.pointee.duration_estimation_method != AVFMT_DURATION_FROM_BITRATE {
            return start + timeBase.rescale(duration, to: .microseconds)
        }
        // Matroska writers put each stream's length into a tag.
        if let tag = tags.first(where: { $0.key == "DURATION" || $0.key.hasPrefix("DURATION-") }),
            let seconds = Self.clock(tag.value)
        {
            return Int64(clamping: seconds * 1e6).boundedTime
        }
        // A container's own duration is that of its longest stream, which is the picture's if anybody's.
        let isOnlyKind = !demuxer.streams.contains { $0.kind != kind && ($0.kind == .video || $0.kind == .audio) }
        guard kind == .video || isOnlyKind, let total = demuxer.duration,
            demuxer.raw.pointee.duration_estimation_method != AVFMT_DURATION_FROM_BITRATE
        else { return nil }
        return (demuxer.startTime ?? 0) + total
    }

    /// Reads "HH:MM:SS.fraction".
    static func clock(_ text: String) -> Double? {
        let parts = text.split(separator: ":").map { Double($0) }
        guard parts.count == 3, let hours = parts[0], let minutes = parts[1], let seconds = parts[2] else { return nil }
        return hours * 3600 + minutes * 60 + seconds
    }
}
