import CAVShim

/// One stream of an opened input.
struct InputStream: @unchecked Sendable {
    // Safe to send: the parameters behind it are not changed after opening; see Demuxer.
    unowned let demuxer: Demuxer
    let index: Int
    let raw: UnsafeMutablePointer<AVStream>

    enum Kind {
        case video, audio, subtitle, data
        /// A cover picture: a video stream by name only.
        case attachedPicture
    }

    var parameters: UnsafeMutablePointer<AVCodecParameters> { raw.pointee.codecpar }
    var timeBase: Rational { Rational(raw.pointee.time_base) }

    var kind: Kind {
        switch parameters.pointee.codec_type {
        case AVMEDIA_TYPE_VIDEO:
            raw.pointee.disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS) != 0
                ? .attachedPicture : .video
        case AVMEDIA_TYPE_AUDIO: .audio
        case AVMEDIA_TYPE_SUBTITLE: .subtitle
        default: .data
        }
    }

    var codecID: AVCodecID { parameters.pointee.codec_id }
    var codecName: String { String(cString: avcodec_get_name(parameters.pointee.codec_id)) }
    /// In the stream's time base; `nil` if unknown.
    var startTime: Int64? { raw.pointee.start_time == CAV_NOPTS ? nil : raw.pointee.start_time.boundedTime }
    /// In the stream's time base; `nil` if unknown.
    var duration: Int64? {
        raw.pointee.duration == CAV_NOPTS || raw.pointee.duration <= 0 ? nil : raw.pointee.duration.boundedTime
    }
    /// Frames as the container counts them; 0 if it does not.
    var frameCount: Int64 { raw.pointee.nb_frames }
    var averageFrameRate: Rational { Rational(raw.pointee.avg_frame_rate) }
    /// The lowest rate at which every timestamp can be shown exactly.
    var realFrameRate: Rational { Rational(raw.pointee.r_frame_rate) }
    var tags: [(key: String, value: String)] { Options.read(raw.pointee.metadata) }
    var language: String? { tags.first { $0.key.lowercased() == "language" }?.value }
    var isDefault: Bool { raw.pointee.disposition & AV_DISPOSITION_DEFAULT != 0 }

    /// The pixels' shape, from the container or else the codec; 0/1 if unknown.
    var sampleAspectRatio: Rational {
        Rational(av_guess_sample_aspect_ratio(demuxer.raw, raw, nil))
    }

    /// The frame rate as libav guesses it from container and codec.
    var frameRate: Rational { Rational(av_guess_frame_rate(demuxer.raw, raw, nil)) }

    /// Microseconds from the input's start to this stream's.
    var delay: Int64 {
        startTime.map { timeBase.rescale($0, to: .microseconds) - demuxer.presentationStart } ?? 0
    }

    /// Whether pictures at the start are needed to decode others but lie outside the edit list.
    var hidesFirstPictures: Bool {
        guard let entry = avformat_index_get_entry(raw, 0) else { return false }
        return entry.pointee.flags & AVINDEX_DISCARD_FRAME != 0
    }

    func sideData(_ type: AVPacketSideDataType) -> UnsafeRawBufferPointer? {
        var size = 0
        guard let data = cav_stream_side_data(raw, type, &size) else { return nil }
        return UnsafeRawBufferPointer(start: data, count: size)
    }

    /// Degrees by which the picture must be turned clockwise to stand upright, and whether it is mirrored.
    var orientation: Orientation {
        guard let data = sideData(AV_PKT_DATA_DISPLAYMATRIX), data.count >= 36 else { return .upright }
        return Orientation(matrix: data)
    }
}
