import ByteIO

/// Draws subtitles into a video's pictures. The sound is copied where the container takes it; the video is encoded by
/// the same settings as a transcode's.
///
/// ```swift
/// let result = try await MediaEngine().run(
///     BurnSubtitles(input: "talk.mp4", subtitles: .file("talk.srt"), output: "captioned.mp4"))
/// ```
public struct BurnSubtitles: MediaOperation, Equatable {
    /// "burn_subtitles".
    public static let name = "burn_subtitles"

    /// A location that the engine's resolver knows: a path, or `-`.
    public var input: String
    /// What is burnt in: a file, a text or a track of the input.
    public var subtitles: SubtitleInput
    /// Where the result goes: a location that the engine's resolver knows, or `-`.
    public var output: String
    /// How SRT and WebVTT look. ASS keeps its own styles unless `overridesStyles` is set.
    public var style: CaptionStyle
    /// Whether ASS is drawn in `style` as well. Default false.
    public var overridesStyles: Bool
    /// A look whose words can light up as they are spoken, instead of `style`; for all subtitles but ASS. They are cut
    /// into captions anew. Words without times, such as SRT's, take them by their lengths.
    public var captions: CaptionLook?
    /// Locations of font files that are looked in before the system's.
    public var fonts: [String]
    /// Whether a font that is not there, or a character that no font can draw, is an error instead of a warning.
    public var strictFonts: Bool
    /// Default: by the output's name.
    public var container: Container?
    /// How the pictures are encoded; the codecs `copy` and `none` are refused. Default: the container's usual codec.
    public var video: VideoSettings
    /// How the sound is made. Default: copied if the container takes it and nothing that is asked changes it.
    public var audio: AudioSettings
    /// Which streams are used. Default as for ``Transcode``, but an embedded text track that is burnt in lets no
    /// subtitle stream be carried along.
    public var streams: StreamSelection
    /// Tracks of subtitles that are made for the output, to be shown or not. Default: none.
    public var textTracks: [TextTrack]
    /// Seconds of the input; subtitles keep their place in the picture.
    public var start: Double?
    /// Seconds of the input at which the result ends, after `start`; `nil` is the end of the input.
    public var end: Double?
    /// Whether an MP4 or MOV has its index in front, so that it plays while it is loaded. Default true.
    public var indexFirst: Bool
    /// Whether the same request gives the same bytes, on the same libraries and with the same thread count. Default
    /// false.
    public var bitexact: Bool
    /// Whether an output that is there already is replaced. Default false.
    public var overwrite: Bool
    /// Cores to use. Default: all that the process may use.
    public var threads: Int?
    /// Bounds on what the job may take; beyond lies a `resource_limit` error.
    public var limits: Limits
    /// How much damage of the input is put up with. Default: 5 % of a stream's frames lost.
    public var tolerance: Tolerance

    /// Members that are not given take their defaults; nothing is checked before `validate()`.
    public init(
        input: String, subtitles: SubtitleInput, output: String, style: CaptionStyle = CaptionStyle(),
        overridesStyles: Bool = false, captions: CaptionLook? = nil, fonts: [String] = [], strictFonts: Bool = false,
        container: Container? = nil,
        video: VideoSettings = VideoSettings(), audio: AudioSettings = AudioSettings(),
        streams: StreamSelection = StreamSelection(), textTracks: [TextTrack] = [], start: Double? = nil,
        end: Double? = nil, indexFirst: Bool = true, bitexact: Bool = false, overwrite: Bool = false,
        threads: Int? = nil,
        limits: Limits = Limits(), tolerance: Tolerance = Tolerance()
    ) {
        self.input = input
        self.subtitles = subtitles
        self.output = output
        self.style = style
        self.overridesStyles = overridesStyles
        self.captions = captions
        self.fonts = fonts
        self.strictFonts = strictFonts
        self.container = container
        self.video = video
        self.audio = audio
        self.streams = streams
        self.textTracks = textTracks
        self.start = start
        self.end = end
        self.indexFirst = indexFirst
        self.bitexact = bitexact
        self.overwrite = overwrite
        self.threads = threads
        self.limits = limits
        self.tolerance = tolerance
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case input, subtitles, output, style, overridesStyles, captions, fonts, strictFonts, container
        case video, audio, streams, textTracks, start, end, indexFirst, bitexact, overwrite, threads, limits, tolerance
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self, besides: ["operation"])
        input = try values.decode(String.self, forKey: .input)
        subtitles = try values.decode(SubtitleInput.self, forKey: .subtitles)
        output = try values.decode(String.self, forKey: .output)
        style = try values.decodeIfPresent(CaptionStyle.self, forKey: .style) ?? CaptionStyle()
        overridesStyles = try values.decodeIfPresent(Bool.self, forKey: .overridesStyles) ?? false
        captions = try values.decodeIfPresent(CaptionLook.self, forKey: .captions)
        fonts = try values.decodeIfPresent([String].self, forKey: .fonts) ?? []
        strictFonts = try values.decodeIfPresent(Bool.self, forKey: .strictFonts) ?? false
        container = try values.decodeIfPresent(Container.self, forKey: .container)
        video = try values.decodeIfPresent(VideoSettings.self, forKey: .video) ?? VideoSettings()
        audio = try values.decodeIfPresent(AudioSettings.self, forKey: .audio) ?? AudioSettings()
        streams = try values.decodeIfPresent(StreamSelection.self, forKey: .streams) ?? StreamSelection()
        textTracks = try values.decodeIfPresent([TextTrack].self, forKey: .textTracks) ?? []
        start = try values.decodeIfPresent(Double.self, forKey: .start)
        end = try values.decodeIfPresent(Double.self, forKey: .end)
        indexFirst = try values.decodeIfPresent(Bool.self, forKey: .indexFirst) ?? true
        bitexact = try values.decodeIfPresent(Bool.self, forKey: .bitexact) ?? false
        overwrite = try values.decodeIfPresent(Bool.self, forKey: .overwrite) ?? false
        threads = try values.decodeIfPresent(Int.self, forKey: .threads)
        limits = try values.decodeIfPresent(Limits.self, forKey: .limits) ?? Limits()
        tolerance = try values.decodeIfPresent(Tolerance.self, forKey: .tolerance) ?? Tolerance()
    }

    public func validate() throws {
        try style.validate()
        try captions?.validate()
        if captions != nil, style != CaptionStyle() || overridesStyles {
            throw MediaError(
                .badRequest, "captions and style exclude each other: a look has a style of its own",
                hint: "change the look by its own members, such as captions.fontSize")
        }
        try transcode.validate()
        let container = try Container.resolve(container, output: output)
        if !container.holdsVideo {
            throw MediaError(.badRequest, "a \(container.rawValue) file holds no pictures to burn subtitles into")
        }
        if video.codec == .copy || video.codec == .none {
            throw MediaError(
                .badRequest, "subtitles cannot be burnt into a video that is not encoded",
                hint: "leave video.codec out or name a codec")
        }
    }

    public var request: MediaRequest { .burnSubtitles(self) }

    public static func output(of result: MediaResult) -> RenderResult? {
        if case .render(let result) = result { result } else { nil }
    }

    /// The same without subtitles.
    var transcode: Transcode {
        var streams = streams
        // Burnt in and carried along, the words would be shown twice.
        if case .embedded = subtitles, streams.subtitles == .all { streams.subtitles = .indices([]) }
        return Transcode(
            input: input, output: output, container: container, video: video, audio: audio, streams: streams,
            textTracks: textTracks, start: start, end: end, indexFirst: indexFirst, bitexact: bitexact,
            overwrite: overwrite,
            threads: threads, limits: limits, tolerance: tolerance)
    }
}

/// Where subtitles come from. In JSON: `{"file": "a.srt"}`, `{"text": "1\n00:00…"}`, `{"embedded": 0}` or
/// `{"transcript": {"duration": 2, "segments": […]}}`.
public enum SubtitleInput: Codable, Sendable, Equatable {
    /// A location that the engine's resolver knows: of SRT, WebVTT, ASS or a transcript in JSON.
    case file(String)
    /// SRT, WebVTT, ASS or a transcript's JSON itself.
    case text(String)
    /// A text track of the input, counted from 0; `nil` for the one marked as default, else the first.
    case embedded(Int?)
    /// What was recognised, to be cut into captions.
    case transcript(Transcript)

    enum CodingKeys: String, CodingKey, CaseIterable {
        case file, text, embedded, transcript
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self)
        guard values.allKeys.count == 1, let key = values.allKeys.first else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: decoder.codingPath,
                    debugDescription: "subtitles have one of file, text, embedded and transcript"))
        }
        switch key {
        case .file: self = .file(try values.decode(String.self, forKey: .file))
        case .text: self = .text(try values.decode(String.self, forKey: .text))
        case .embedded: self = .embedded(try values.decodeIfPresent(Int.self, forKey: .embedded))
        case .transcript:
            let transcript = try values.decode(Transcript.self, forKey: .transcript)
            if let problem = transcript.problemOfTimes {
                throw DecodingError.dataCorruptedError(forKey: .transcript, in: values, debugDescription: problem)
            }
            self = .transcript(transcript)
        }
    }

    public func encode(to encoder: any Swift.Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .file(let location): try values.encode(location, forKey: .file)
        case .text(let text): try values.encode(text, forKey: .text)
        case .embedded(let index):
            if let index {
                try values.encode(index, forKey: .embedded)
            } else {
                try values.encodeNil(forKey: .embedded)
            }
        case .transcript(let transcript): try values.encode(transcript, forKey: .transcript)
        }
    }
}

extension BurnSubtitles: ExecutableOperation {
    var settings: JobSettings { JobSettings(threads: threads, limits: limits) }

    private static let maximumFontBytes = 64 << 20

    func execute(_ job: Job) throws -> MediaResult {
        .render(try Rendering(transcode, job: job, processors: processors(job)).run())
    }

    /// Reads subtitles and fonts, and tells how captions get into the pictures.
    func processors(_ job: Job) throws -> Rendering.ProcessorMaker {
        let content = try self.content(job)
        let fontFiles = try fonts.map { location in
            let source = try job.source(location)
            return FontFile(name: location.shownLocation, bytes: try source.readAll(limit: Self.maximumFontBytes))
        }
        return { _, _ in
            [
                CaptionProcessor(
                    content,
                    settings: CaptionProcessor.Settings(
                        style: style, overridesStyles: overridesStyles, fonts: fontFiles, strictFonts: strictFonts,
                        offset: start ?? 0, name: subtitleName),
                    control: job.control)
            ]
        }
    }

    private var subtitleName: String { subtitles.shownName }

    /// What is drawn, from whatever was given.
    private func content(_ job: Job) throws -> CaptionProcessor.Content {
        switch subtitles {
        case .file(let location): return try content(of: subtitles.read(location, job), job)
        case .text(let text): return try content(of: Array(text.utf8), job)
        case .embedded(let index):
            return try content(of: try TextTrackReader(location: input, track: index, job: job).read(), job)
        case .transcript(let transcript): return try content(of: transcript)
        }
    }

    private func content(of bytes: [UInt8], _ job: Job) throws -> CaptionProcessor.Content {
        if Transcript.looksLikeJSON(bytes) { return try content(of: try Transcript.load(bytes, name: subtitleName)) }
        return try content(of: try SubtitleDocument.parse(bytes, name: subtitleName), job)
    }

    private func content(of document: SubtitleDocument, _ job: Job) throws -> CaptionProcessor.Content {
        for warning in document.warnings {
            job.control.warnings.add(MediaWarning(.subtitle, "\(subtitleName): \(warning)"))
        }
        guard let captions else { return .subtitles(document) }
        return .words(try Transcript(document), captions)
    }

    private func content(of transcript: Transcript) throws -> CaptionProcessor.Content {
        if let captions { return .words(transcript, captions) }
        return .subtitles(try SubtitleInput.document(of: transcript))
    }
}
