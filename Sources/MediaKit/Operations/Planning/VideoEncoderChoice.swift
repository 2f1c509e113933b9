import CAVShim

/// Turns video settings into an encoder of these libraries and its options.
struct VideoEncoderChoice {
    let settings: EncoderSettings
    let pixelFormats: PixelFormatChoice

    /// - Parameters:
    ///   - codec: what to encode with; neither auto, copy nor none.
    ///   - statisticsPath: where encoders that keep the first pass's results in a file put them.
    init(
        codec: VideoCodec, video: VideoSettings, container: Container, budget: CoreBudget, bitexact: Bool,
        pass: EncoderSettings.Pass?, statisticsPath: String?
    ) throws {
        guard let name = Self.encoders(for: codec).first(where: { avcodec_find_encoder_by_name($0) != nil }) else {
            throw MediaError(
                .unsupported, "these libraries have no \(codec.rawValue) encoder",
                hint: "install an FFmpeg build with \(Self.encoders(for: codec).joined(separator: " or "))")
        }
        var made = EncoderSettings(encoder: name)
        made.threads = budget.encoderThreads
        made.bitexact = bitexact
        made.keyFrameSeconds = video.gopSeconds
        made.pass = pass
        if let bitRate = video.bitRate {
            made.bitRate = bitRate
            made.maximumBitRate = video.maximumBitRate ?? bitRate * 3 / 2
            made.bufferSize = video.bufferSize ?? bitRate * 2
        } else if let maximum = video.maximumBitRate {
            made.maximumBitRate = maximum
            made.bufferSize = video.bufferSize ?? maximum * 2
        }
        if codec == .hevc, container.isMovie { made.codecTag = "hvc1" }
        switch name {
        case "libx264": try Self.setX264(&made, video, statisticsPath)
        case "libx265": try Self.setX265(&made, video, budget, statisticsPath)
        case "libsvtav1": try Self.setSVT(&made, video, budget)
        case "libvpx-vp9": Self.setVPX(&made, video, budget)
        default: break
        }
        settings = made
        pixelFormats = try Self.pixelFormats(encoder: name, codec: codec, video: video)
    }

    static func encoders(for codec: VideoCodec) -> [String] {
        switch codec {
        case .h264: ["libx264"]
        case .hevc: ["libx265"]
        case .av1: ["libsvtav1"]
        case .vp9: ["libvpx-vp9"]
        case .auto, .copy, .none: []
        }
    }

    private static let presetNames = [
        "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo",
    ]

    /// The encoder's own number for one of x264's preset names, or what was asked as it is.
    private static func preset(_ asked: String?, numbers: [Int]) -> String {
        let name = asked ?? "veryfast"
        return presetNames.firstIndex(of: name).map { "\(numbers[$0])" } ?? name
    }

    private static func setCommon(_ made: inout EncoderSettings, _ video: VideoSettings) {
        if let tune = video.tune { made.options["tune"] = tune }
        if let profile = video.profile { made.options["profile"] = profile }
        if let level = video.level { made.options["level"] = level }
    }

    /// x264 and x265 print a complaint to standard error by themselves, so that nonsense must not reach them.
    private static func requireKnown(
        _ video: VideoSettings, encoder: String, tunes: Set<String>, profiles: Set<String>
    ) throws {
        let parts = video.tune.map { $0.split(separator: ",").map(String.init) } ?? []
        let asked = [
            ("preset", [video.preset ?? "veryfast"], Set(presetNames)), ("tune", parts, tunes),
            ("profile", video.profile.map { [$0] } ?? [], profiles),
        ]
        for (name, values, known) in asked {
            guard let wrong = values.first(where: { !known.contains($0) }) else { continue }
            throw MediaError(
                .unsupported, "\(encoder) has no \(name) \"\(wrong)\"",
                hint: "it has \(known.sorted().joined(separator: ", "))")
        }
    }

    private static func setX264(
        _ made: inout EncoderSettings, _ video: VideoSettings, _ statisticsPath: String?
    ) throws {
        try requireKnown(
            video, encoder: "libx264",
            tunes: [
                "film", "animation", "grain", "stillimage", "psnr", "ssim", "fastdecode", "zerolatency",
            ], profiles: ["baseline", "main", "high", "high10", "high422", "high444"])
        setCommon(&made, video)
        made.options["preset"] = video.preset ?? "veryfast"
        if video.bitRate == nil { made.options["crf"] = "\(video.crf ?? 23)" }
        made.options["forced-idr"] = "1"
        // By default it is a file of a fixed name in the working folder, which two jobs would share.
        if made.pass != nil, let statisticsPath { made.options["stats"] = statisticsPath }
    }

    private static func setX265(
        _ made: inout EncoderSettings, _ video: VideoSettings, _ budget: CoreBudget, _ statisticsPath: String?
    ) throws {
        try requireKnown(
            video, encoder: "libx265",
            tunes: ["psnr", "ssim", "grain", "zerolatency", "fastdecode", "animation"],
            profiles: [
                "main", "main10", "main12", "main422-10", "main422-12", "main444-8", "main444-10", "main444-12",
                "mainstillpicture", "main444-stillpicture", "main-intra", "main10-intra",
            ])
        made.options["preset"] = video.preset ?? "veryfast"
        if let tune = video.tune { made.options["tune"] = tune }
        if let profile = video.profile { made.options["profile"] = profile }
        if video.bitRate == nil { made.options["crf"] = "\(video.crf ?? 28)" }
        made.options["forced-idr"] = "1"
        // x265 takes its threads from a pool of its own and prints to standard error unless told not to.
        var parameters = ["log-level=none", "pools=\(budget.cores)"]
        if let level = video.level { parameters.append("level-idc=\(level)") }
        if let pass = made.pass, let statisticsPath {
            parameters.append("pass=\(pass == .first ? 1 : 2)")
            parameters.append("stats=\(statisticsPath)")
            made.pass = nil
        }
        made.options["x265-params"] = parameters.joined(separator: ":")
    }

    private static func setSVT(_ made: inout EncoderSettings, _ video: VideoSettings, _ budget: CoreBudget) throws {
        if made.pass != nil {
            throw MediaError(.unsupported, "two passes are not possible with libsvtav1", hint: "use crf, or one pass")
        }
        for (name, value) in [("tune", video.tune), ("profile", video.profile)] where value != nil {
            throw MediaError(.unsupported, "libsvtav1 has no \(name)", hint: "leave video.\(name) out")
        }
        made.options["preset"] = preset(video.preset, numbers: [12, 11, 10, 9, 8, 7, 5, 4, 3, 2])
        if video.bitRate == nil { made.options["crf"] = "\(Int((video.crf ?? 35).rounded()))" }
        made.options["svtav1-params"] = "lp=\(budget.cores)"
        if let level = video.level { made.options["level"] = level }
        // It takes no forced key frames in older versions; its own interval keeps the bound.
        made.forcesKeyFrames = false
    }

    private static func setVPX(_ made: inout EncoderSettings, _ video: VideoSettings, _ budget: CoreBudget) {
        made.options["deadline"] = "good"
        made.options["cpu-used"] = preset(video.preset, numbers: [8, 7, 5, 5, 4, 3, 2, 1, 1, 0])
        made.options["row-mt"] = "1"
        if let tune = video.tune { made.options["tune"] = tune }
        if video.bitRate == nil {
            made.options["crf"] = "\(Int((video.crf ?? 33).rounded()))"
            // Without a bit rate of 0, crf would be a bound instead of the aim.
            made.bitRate = 0
        }
        if let profile = video.profile { made.options["profile"] = profile }
        if let level = video.level { made.options["level"] = level }
        // It uses no more, and complains of them.
        made.threads = min(budget.encoderThreads, 16)
    }

    private static func pixelFormats(
        encoder: String, codec: VideoCodec, video: VideoSettings
    ) throws -> PixelFormatChoice {
        var choice = PixelFormatChoice()
        if let codec = avcodec_find_encoder_by_name(encoder) {
            var count: Int32 = 0
            if let list = cav_codec_pixel_formats(codec, &count) {
                choice.supported = (0..<Int(count)).compactMap { PixelFormat(raw: list[$0]) }
            }
        }
        choice.keepsDepth = codec != .h264
        guard let name = video.pixelFormat else { return choice }
        guard let required = PixelFormat(name: name), choice.supported.isEmpty || choice.supported.contains(required)
        else {
            let names = choice.supported.map(\.name).joined(separator: ", ")
            throw MediaError(
                .unsupported, "\(encoder) does not take the pixel format \(name)", hint: "it takes \(names)")
        }
        choice.required = required
        return choice
    }
}
