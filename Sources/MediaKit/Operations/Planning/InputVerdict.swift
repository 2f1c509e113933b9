import CAVShim

/// Judges after a run whether the input was whole: a truncated or damaged input is never a silent success.
struct InputVerdict {
    let tolerance: Tolerance
    let demuxer: Demuxer
    let control: JobControl

    /// Adds warnings, or throws `bad_input` where more was lost than the tolerance allows.
    func judge(graph: MediaGraph, report: GraphRunner.Report) throws {
        let copiedEnds = graph.copied.map { report.muxed[$0.slot.output][$0.slot.stream].end }
        guard report.decoded.contains(where: { $0.packets > 0 }) || report.copied.contains(where: { $0.packets > 0 })
        else {
            throw MediaError(
                .badInput, "there is nothing in it but a header", input: demuxer.name, log: control.log.recent())
        }
        let furthest = (report.decoded.map(\.end) + copiedEnds).compactMap { $0 }.max()
        // What is judged is the first input: another one only adds a picture.
        for (decoded, tally) in zip(graph.decoded, report.decoded) where decoded.source.input == 0 {
            let stream = demuxer.streams[decoded.source.stream]
            try judge(stream, decoded.window, tally, furthest)
            try judgeHoles(tally.missingFrames, of: tally.frames, isDamaged: tally.corruptPackets > 0, stream)
        }
        for (index, copied) in graph.copied.enumerated() where !copied.isSparse {
            let stream = demuxer.streams[copied.source.stream]
            tellOfDamage(report.copied[index], stream)
            try judgeHoles(copied: copied, report, index, stream)
            guard copied.window.end == nil else { continue }
            try judgeLength(stream, copied.window, reached: copiedEnds[index], furthest: furthest)
        }
        for (branch, tally) in zip(graph.branches, report.encoded) {
            guard let tally, let source = branch.sources.first else { continue }
            try judgeOrder(tally, demuxer.streams[graph.decoded[source].source.stream])
        }
        try judgeComplaints()
    }

    /// What the libraries said of damage that shows in no count.
    private func judgeComplaints() throws {
        let errors = control.log.errors
        let known: Set<MediaWarning.Code> = [.lostFrames, .concealedFrames, .durationMismatch]
        guard errors.count > 0 || demuxer.isGuessed, !control.warnings.all.contains(where: { known.contains($0.code) })
        else { return }
        let text =
            errors.first.map { "the input is damaged: \($0)" }
            ?? "the input is taken for \(demuxer.formatName) by a guess: its beginning is damaged"
        guard !tolerance.strict else {
            throw MediaError(
                .badInput, text, hint: "allow damage with tolerance.strict = false", input: demuxer.name,
                log: control.log.recent())
        }
        control.warnings.add(MediaWarning(.damagedInput, text))
    }

    private func judge(
        _ stream: InputStream, _ window: MediaGraph.Window, _ tally: DecodeTally, _ furthest: Int64?
    ) throws {
        // A track without any packet may be meant so; if it is not, its length says so below.
        guard tally.frames > 0 || tally.packets == 0 else {
            throw MediaError(
                .badInput, "nothing in it could be decoded as \(stream.codecName)", input: demuxer.name,
                stream: stream.index, log: control.log.recent())
        }
        let lost = Int64(tally.refusedPackets)
        try judgeLoss(lost, of: lost + tally.frames, "frames could not be decoded", .lostFrames, stream)
        if tally.damagedFrames > 0 {
            control.warnings.add(
                MediaWarning(
                    .concealedFrames, "\(tally.damagedFrames) of \(tally.frames) frames were damaged and mended",
                    stream: stream.index))
        }
        if tally.corruptPackets > 0, lost == 0, tally.damagedFrames == 0 {
            control.warnings.add(
                MediaWarning(
                    .damagedInput, "\(tally.corruptPackets) of \(tally.packets) packets are incomplete",
                    stream: stream.index))
        }
        if !tally.reachedWindowEnd {
            try judgeLength(stream, window, reached: tally.end, furthest: furthest, within: window.end)
        }
    }

    /// Damage in a copied stream goes on to whoever decodes the result. It is not loss: players mend it, as decoders
    /// do here.
    private func tellOfDamage(_ tally: CopyTally, _ stream: InputStream) {
        guard tally.corruptPackets > 0 else { return }
        control.warnings.add(
            MediaWarning(
                .damagedInput, "\(tally.corruptPackets) of \(tally.packets) copied packets are damaged",
                stream: stream.index))
    }

    /// Holes between pictures. A variable rate has them too, so they only count where something else tells of damage.
    private func judgeHoles(_ missing: Int64, of frames: Int64, isDamaged: Bool, _ stream: InputStream) throws {
        guard isDamaged || control.log.errors.count > 0 else { return }
        try judgeLoss(missing, of: missing + frames, "pictures are missing", .lostFrames, stream)
    }

    private func judgeHoles(
        copied: MediaGraph.CopiedStream, _ report: GraphRunner.Report, _ index: Int, _ stream: InputStream
    ) throws {
        let tally = report.muxed[copied.slot.output][copied.slot.stream]
        let rate = stream.averageFrameRate
        guard stream.kind == .video, rate.isPositive, let start = tally.start, let end = tally.end, end > start
        else { return }
        let expected = Int64(clamping: Double(end - start) / 1e6 * rate.value)
        let copies = report.copied[index]
        try judgeHoles(
            max(0, expected - copies.packets - 1), of: copies.packets, isDamaged: copies.corruptPackets > 0, stream)
    }

    /// Pictures that were left out because their time was not after the last one's.
    private func judgeOrder(_ tally: EncodeTally, _ stream: InputStream) throws {
        try judgeLoss(
            tally.droppedFrames, of: tally.frames + tally.droppedFrames,
            "pictures were left out because their timestamps do not rise", .timestamps, stream)
    }

    private func judgeLoss(
        _ lost: Int64, of total: Int64, _ what: String, _ code: MediaWarning.Code, _ stream: InputStream
    ) throws {
        guard lost > 0, total > 0 else { return }
        let text = "\(lost) of \(total) \(what)"
        guard Double(lost) <= Double(total) * tolerance.lostFrames else { throw tooMuchLost(text, stream) }
        control.warnings.add(MediaWarning(code, text, stream: stream.index))
    }

    /// Compares where a stream ended with where it should have.
    ///
    /// - Parameters:
    ///   - reached: microseconds of the result's time; `nil` if there was nothing.
    ///   - furthest: where the longest of all streams ended: what the container as a whole promises may be kept by
    ///     another one.
    ///   - end: where the window ends, at most as far as the stream is looked at.
    private func judgeLength(
        _ stream: InputStream, _ window: MediaGraph.Window, reached: Int64?, furthest: Int64?, within end: Int64? = nil
    ) throws {
        guard let promised = stream.promisedEnd ?? stream.promisedEndOfAll else { return }
        var expected = promised - window.origin
        if let end { expected = min(expected, end) }
        let start = max(
            0, (stream.startTime.map { stream.timeBase.rescale($0, to: .microseconds) } ?? 0) - window.origin)
        let reached = (stream.promisedEnd == nil ? furthest : reached) ?? start
        let length = expected - start
        let missing = expected - reached
        // Half a second is within what containers get wrong.
        guard length > 0, missing > 500_000 else { return }
        let text =
            "it ends after \(Self.seconds(reached - start)) of the \(Self.seconds(length)) that its header promises"
        guard !tolerance.strict, Double(missing) <= Double(length) * tolerance.lostFrames else {
            throw tooMuchLost(text, stream)
        }
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
    /// Whether durations come from a header that was written on purpose. A bit rate is a guess, and formats whose
    /// clock may jump are measured by their last timestamps, which promise nothing.
    private var hasPromisedDurations: Bool {
        demuxer.raw.pointee.duration_estimation_method != AVFMT_DURATION_FROM_BITRATE && !demuxer.hasDiscontinuousTime
    }

    /// Where the stream should end by what its container says of it, in microseconds of the input's clock.
    var promisedEnd: Int64? {
        let start = startTime.map { timeBase.rescale($0, to: .microseconds) } ?? 0
        if let duration, hasPromisedDurations { return start + timeBase.rescale(duration, to: .microseconds) }
        // Matroska writers put each stream's length into a tag.
        guard let tag = tags.first(where: { $0.key == "DURATION" || $0.key.hasPrefix("DURATION-") }),
            let seconds = Self.clock(tag.value)
        else { return nil }
        return Int64(clamping: seconds * 1e6).boundedTime
    }

    /// Where the longest stream should end, by the container; `nil` if that may be one of another kind than this.
    var promisedEndOfAll: Int64? {
        let isOnlyKind = !demuxer.streams.contains { $0.kind != kind && ($0.kind == .video || $0.kind == .audio) }
        guard kind == .video || isOnlyKind, hasPromisedDurations, let total = demuxer.duration else { return nil }
        return (demuxer.startTime ?? 0) + total
    }

    /// Reads "HH:MM:SS.fraction".
    static func clock(_ text: String) -> Double? {
        let parts = text.split(separator: ":").map { Double($0) }
        guard parts.count == 3, let hours = parts[0], let minutes = parts[1], let seconds = parts[2] else { return nil }
        return hours * 3600 + minutes * 60 + seconds
    }
}
