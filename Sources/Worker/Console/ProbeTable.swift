import MediaKit

/// What is in a file, for a person.
struct ProbeTable {
    private let info: MediaInfo

    init(_ info: MediaInfo) { self.info = info }

    var text: String {
        var lines = [(info.input == "-" ? "standard input" : info.input).printable]
        lines += head.lines()
        if !info.streams.isEmpty { lines += ["", "Streams"] + streams.lines(hasHead: true) + notes }
        if !info.chapters.isEmpty { lines += ["", "Chapters"] + chapters.lines() }
        return lines.joined(separator: "\n")
    }

    private var head: TextTable {
        var table = TextTable()
        table.add(["Container", "\(info.formatName) (\(info.format))"])
        table.add(["Duration", info.duration.map { Figures.clock($0) } ?? "unknown"])
        if let start = info.start, start != 0 { table.add(["Start", "\(Figures.short(start, 6)) s"]) }
        if let bitRate = info.bitRate { table.add(["Bit rate", Figures.bitRate(bitRate)]) }
        if let bytes = info.bytes { table.add(["Size", "\(Figures.bytes(bytes)) (\(bytes) bytes)"]) }
        for (index, tag) in Self.telling(info.tags).enumerated() {
            table.add([index == 0 ? "Tags" : "", "\(tag.key): \(tag.value)"])
        }
        return table
    }

    private var streams: TextTable {
        var table = TextTable(rightAligned: [0])
        table.add(["#", "Kind", "Codec", "Format", "Rate", "Length", "Bit rate", "Language", "Marked"])
        for stream in info.streams {
            table.add([
                "\(stream.index)", stream.kind, codec(stream), format(stream), rate(stream),
                stream.duration.map { Figures.clock($0) } ?? "", stream.bitRate.map(Figures.bitRate) ?? "",
                stream.language ?? "", stream.dispositions.joined(separator: ", "),
            ])
        }
        return table
    }

    private func codec(_ stream: MediaInfo.Stream) -> String {
        var details = [stream.profile, stream.video?.level.map { "level \($0)" }].compactMap { $0 }
        if stream.video == nil, stream.audio == nil, let tag = stream.tag { details.append(tag) }
        return stream.codec + (details.isEmpty ? "" : " (\(details.joined(separator: ", ")))")
    }

    private func format(_ stream: MediaInfo.Stream) -> String {
        if let video = stream.video {
            return ["\(video.width)x\(video.height)", video.pixelFormat].compactMap { $0 }.joined(separator: " ")
        }
        guard let audio = stream.audio else { return "" }
        let isCount = audio.channelLayout.contains("channel")
        let layout = isCount ? audio.channelLayout : "\(audio.channelLayout), \(audio.channels) ch"
        return [layout, audio.sampleFormat].compactMap { $0 }.joined(separator: " ")
    }

    private func rate(_ stream: MediaInfo.Stream) -> String {
        if let audio = stream.audio { return "\(audio.sampleRate) Hz" }
        guard let video = stream.video, stream.kind == "video" else { return "" }
        guard let rate = (video.averageFrameRate ?? video.realFrameRate).flatMap({ FrameRate($0) }) else { return "" }
        return "\(Figures.short(rate.rational.value)) fps\(video.isVariableFrameRate ? " VFR" : "")"
    }

    /// What concerns few streams, one line for each that has something.
    private var notes: [String] {
        info.streams.flatMap { stream -> [String] in
            var notes: [String] = []
            if let video = stream.video { notes += self.notes(on: video) }
            if let frames = stream.frames, stream.video != nil { notes.append("\(frames) frames") }
            if let start = stream.start, abs(start) > 0.0005 { notes.append("starts at \(Figures.short(start, 3)) s") }
            // What the table's columns say already is not said twice.
            let tags = Self.telling(stream.tags).filter { $0.key.lowercased() != "language" }
            notes += tags.map { "\($0.key): \($0.value)" }
            return notes.isEmpty ? [] : ["  #\(stream.index): \(notes.joined(separator: "; ").printable)"]
        }
    }

    private func notes(on video: MediaInfo.Video) -> [String] {
        var notes: [String] = []
        if video.rotation != 0 { notes.append("turned \(Figures.short(video.rotation))° clockwise") }
        if video.isMirrored { notes.append("mirrored") }
        if video.displayWidth != video.width || video.displayHeight != video.height {
            notes.append("shown as \(video.displayWidth)x\(video.displayHeight)")
        }
        if let aspect = video.sampleAspectRatio, aspect != "1:1" { notes.append("pixels \(aspect)") }
        if let aspect = video.displayAspectRatio { notes.append(aspect) }
        switch video.fieldOrder {
        case "top_first": notes.append("interlaced, top field first")
        case "bottom_first": notes.append("interlaced, bottom field first")
        default: break
        }
        let color = video.color
        let names = [color.primaries, color.transfer, color.matrix]
        if names.contains(where: { $0 != nil }) {
            let isUniform = Set(names).count == 1
            notes.append("colour \(isUniform ? names[0] ?? "" : names.map { $0 ?? "?" }.joined(separator: "/"))")
        }
        switch color.range {
        case "tv": notes.append("limited range")
        case "pc": notes.append("full range")
        default: break
        }
        if let hdr = video.hdr { notes.append(self.note(on: hdr)) }
        if let seconds = video.keyFrameSeconds { notes.append("key frames at most \(Figures.short(seconds)) s apart") }
        return notes
    }

    private func note(on hdr: MediaInfo.HDR) -> String {
        var text = "HDR \(hdr.transfer)"
        if let minimum = hdr.minimumLuminance, let maximum = hdr.maximumLuminance {
            text += ", mastered at \(Figures.short(minimum, 4)) to \(Figures.short(maximum, 0)) cd/m²"
        }
        if let light = hdr.maximumContentLight {
            text += ", content up to \(light) cd/m²"
            if let average = hdr.maximumFrameAverageLight { text += " (\(average) on a frame's average)" }
        }
        return text
    }

    /// The tags that people write; what programs write of themselves stays in the JSON.
    private static func telling(_ tags: [String: String]) -> [(key: String, value: String)] {
        let mechanical: Set = ["major_brand", "minor_version", "compatible_brands", "vendor_id"]
        let handlers: Set = ["VideoHandler", "SoundHandler", "SubtitleHandler", "DataHandler"]
        return tags.filter { tag in
            let key = tag.key.lowercased()
            let isHandler = key == "handler_name" && handlers.contains { $0.hasPrefix(tag.value) }
            return !mechanical.contains(key) && !isHandler
        }.sorted { $0.key < $1.key }
    }

    private var chapters: TextTable {
        var table = TextTable(rightAligned: [0])
        for (index, chapter) in info.chapters.enumerated() {
            table.add([
                "\(index + 1)", "\(Figures.clock(chapter.start)) to \(Figures.clock(chapter.end))", chapter.title ?? "",
            ])
        }
        return table
    }
}
