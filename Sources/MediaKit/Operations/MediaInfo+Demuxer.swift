import CAVShim

extension MediaInfo {
    init(_ demuxer: Demuxer, location: String) {
        input = location
        format = demuxer.formatName
        formatName = demuxer.formatLongName
        duration = demuxer.duration.map { Double($0) / 1e6 }
        start = demuxer.startTime.map { Double($0) / 1e6 }
        bitRate = demuxer.bitRate
        bytes = demuxer.byteCount
        tags = Dictionary(demuxer.tags.map { ($0.key, $0.value) }) { first, _ in first }
        chapters = (0..<Int(demuxer.raw.pointee.nb_chapters)).compactMap { index in
            guard let chapter = demuxer.raw.pointee.chapters[index]?.pointee else { return nil }
            let timeBase = Rational(chapter.time_base)
            return Chapter(
                start: timeBase.seconds(chapter.start), end: timeBase.seconds(chapter.end),
                title: Options.read(chapter.metadata).first { $0.key == "title" }?.value)
        }
        streams = demuxer.streams.map(Stream.init)
    }
}

extension MediaInfo.Stream {
    init(_ stream: InputStream) {
        let parameters = stream.parameters.pointee
        index = stream.index
        kind = "\(stream.kind)"
        codec = stream.codecName
        profile = avcodec_profile_name(parameters.codec_id, parameters.profile).map { String(cString: $0) }
        tag = Self.fourCC(parameters.codec_tag)
        language = stream.language
        dispositions = Self.dispositions(stream.raw.pointee.disposition)
        timeBase = stream.timeBase.description
        start = stream.startTime.map { stream.timeBase.seconds($0) }
        duration = stream.duration.map { stream.timeBase.seconds($0) }
        frames = stream.frameCount > 0 ? stream.frameCount : nil
        bitRate = parameters.bit_rate > 0 ? parameters.bit_rate : nil
        tags = Dictionary(stream.tags.map { ($0.key, $0.value) }) { first, _ in first }
        switch stream.kind {
        case .video, .attachedPicture: video = MediaInfo.Video(stream)
        case .audio: audio = MediaInfo.Audio(stream)
        case .subtitle, .data: break
        }
    }

    private static func fourCC(_ tag: UInt32) -> String? {
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: tag >> (8 * $0)) }
        return bytes.allSatisfy { (0x20..<0x7f).contains($0) } ? String(decoding: bytes, as: UTF8.self) : nil
    }

    private static func dispositions(_ flags: Int32) -> [String] {
        (0..<31).compactMap { bit in
            flags & (1 << bit) != 0 ? av_disposition_to_string(1 << bit).map { String(cString: $0) } : nil
        }
    }
}

extension MediaInfo.Video {
    init(_ stream: InputStream) {
        let parameters = stream.parameters.pointee
        let aspect = stream.sampleAspectRatio
        let orientation = stream.orientation
        width = Int(parameters.width)
        height = Int(parameters.height)
        let shape = aspect.isPositive ? aspect.value : 1
        let shown = (Int((Double(parameters.width) * shape).rounded()), Int(parameters.height))
        (displayWidth, displayHeight) = orientation.swapsAxes ? (shown.1, shown.0) : shown
        if aspect.isPositive {
            sampleAspectRatio = "\(aspect.numerator):\(aspect.denominator)"
            var numerator: Int32 = 0
            var denominator: Int32 = 0
            av_reduce(
                &numerator, &denominator, Int64(parameters.width) * Int64(aspect.numerator),
                Int64(parameters.height) * Int64(aspect.denominator), 1 << 20)
            displayAspectRatio = "\(numerator):\(denominator)"
        }
        rotation = orientation.clockwise
        isMirrored = orientation.isMirrored
        let average = stream.averageFrameRate, real = stream.realFrameRate
        averageFrameRate = average.isPositive ? average.description : nil
        realFrameRate = real.isPositive ? real.description : nil
        isVariableFrameRate = stream.hasVariableFrameRate
        let format = PixelFormat(parameters.format)
        pixelFormat = format?.name
        bitDepth = format?.bitDepth
        level = Self.level(parameters)
        switch parameters.field_order {
        case AV_FIELD_PROGRESSIVE: fieldOrder = "progressive"
        case AV_FIELD_TT, AV_FIELD_TB: fieldOrder = "top_first"
        case AV_FIELD_BB, AV_FIELD_BT: fieldOrder = "bottom_first"
        default: fieldOrder = nil
        }
        color = MediaInfo.Color(parameters)
        hdr = MediaInfo.HDR(stream)
    }

    private static func level(_ parameters: AVCodecParameters) -> String? {
        guard parameters.level > 0 else { return nil }
        switch parameters.codec_id {
        case AV_CODEC_ID_H264: return "\(parameters.level / 10).\(parameters.level % 10)"
        case AV_CODEC_ID_HEVC: return "\(parameters.level / 30).\(parameters.level % 30 / 3)"
        case AV_CODEC_ID_AV1: return "\(2 + parameters.level / 4).\(parameters.level % 4)"
        default: return "\(parameters.level)"
        }
    }
}

extension MediaInfo.Color {
    init(_ parameters: AVCodecParameters) {
        func known(_ name: UnsafePointer<CChar>?) -> String? {
            let text = name.map { String(cString: $0) }
            return text == "unknown" || text == "reserved" ? nil : text
        }
        primaries = known(av_color_primaries_name(parameters.color_primaries))
        transfer = known(av_color_transfer_name(parameters.color_trc))
        matrix = known(av_color_space_name(parameters.color_space))
        range = known(av_color_range_name(parameters.color_range))
    }
}

extension MediaInfo.HDR {
    init?(_ stream: InputStream) {
        switch stream.parameters.pointee.color_trc {
        case AVCOL_TRC_SMPTE2084: transfer = "PQ"
        case AVCOL_TRC_ARIB_STD_B67: transfer = "HLG"
        default: return nil
        }
        if let data = stream.sideData(AV_PKT_DATA_MASTERING_DISPLAY_METADATA),
            data.count >= MemoryLayout<AVMasteringDisplayMetadata>.size
        {
            let metadata = data.loadUnaligned(as: AVMasteringDisplayMetadata.self)
            if metadata.has_luminance != 0 {
                minimumLuminance = Rational(metadata.min_luminance).value
                maximumLuminance = Rational(metadata.max_luminance).value
            }
        }
        if let data = stream.sideData(AV_PKT_DATA_CONTENT_LIGHT_LEVEL),
            data.count >= MemoryLayout<AVContentLightMetadata>.size
        {
            let metadata = data.loadUnaligned(as: AVContentLightMetadata.self)
            maximumContentLight = Int(metadata.MaxCLL)
            maximumFrameAverageLight = Int(metadata.MaxFALL)
        }
    }
}

extension MediaInfo.Audio {
    init(_ stream: InputStream) {
        let parameters = stream.parameters
        sampleRate = Int(parameters.pointee.sample_rate)
        channels = Int(parameters.pointee.ch_layout.nb_channels)
        channelLayout = ChannelLayout.describe(&parameters.pointee.ch_layout)
        sampleFormat = av_get_sample_fmt_name(AVSampleFormat(rawValue: parameters.pointee.format)).map {
            String(cString: $0)
        }
    }
}

extension InputStream {
    /// Whether the distances of the pictures differ by more than rounding: by the container's index where there is
    /// one, else by the two frame rates that libav finds.
    var hasVariableFrameRate: Bool {
        let count = avformat_index_get_entries_count(raw)
        guard count > 2, demuxer.formatName.hasPrefix("mov,") else {
            guard averageFrameRate.isPositive, realFrameRate.isPositive else { return false }
            return abs(averageFrameRate.value - realFrameRate.value) > 0.01 * realFrameRate.value
        }
        var shortest = Int64.max, longest: Int64 = 0
        var last: Int64?
        // The last entries' durations may be cut by an edit list.
        for index in 0..<min(count, 10_000) {
            guard let entry = avformat_index_get_entry(raw, index) else { break }
            let time = entry.pointee.timestamp.boundedTime
            if let last, time > last {
                shortest = min(shortest, time - last)
                longest = max(longest, time - last)
            }
            last = time
        }
        guard longest > 0 else { return false }
        let tick = max(1, Int64(Double(shortest) * 0.02))
        return longest - shortest > tick + 1
    }
}
