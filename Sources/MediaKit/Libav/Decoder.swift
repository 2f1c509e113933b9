import CAVShim
import Glibc

/// What a codec or filter answers besides its result.
enum Flow {
    /// A result was delivered.
    case ready
    /// It wants more input first.
    case again
    /// All input was used up.
    case end

    /// What a call to libav has come to by its result; `nil` for an error.
    init?(_ result: Int32) {
        switch result {
        case 0...: self = .ready
        case cav_error(EAGAIN): self = .again
        case CAV_ERROR_EOF: self = .end
        default: return nil
        }
    }
}

/// The owner of one decoder.
///
/// Thread safety: used by one thread at a time; codecs may use threads of their own.
final class Decoder {
    let stream: InputStream
    let raw: UnsafeMutablePointer<AVCodecContext>
    /// Packets that the decoder refused as damaged.
    private(set) var refusedPackets = 0
    private let log: JobLog

    struct Settings {
        var threads = 1
        var strict = false
        /// Decode key frames only.
        var keyFramesOnly = false
    }

    init(stream: InputStream, settings: Settings, control: JobControl) throws {
        self.stream = stream
        log = control.log
        let input = stream.demuxer.name
        guard let codec = avcodec_find_decoder(stream.codecID) else {
            throw MediaError(
                .unsupported, "no decoder for \(stream.codecName)", hint: "install an FFmpeg build that has one",
                input: input, stream: stream.index)
        }
        raw = try allocated(avcodec_alloc_context3(codec), "a decoder")
        // From here on all properties are set, and deinit frees it if this throws.
        try check(avcodec_parameters_to_context(raw, stream.parameters), "bad codec parameters", input: input)
        raw.pointee.opaque = control.log.mark
        raw.pointee.pkt_timebase = stream.timeBase.raw
        raw.pointee.thread_count = Int32(settings.threads)
        raw.pointee.max_pixels = Int64(control.limits.pixels)
        if settings.strict { raw.pointee.err_recognition |= AV_EF_EXPLODE }
        if settings.keyFramesOnly { raw.pointee.skip_frame = AVDISCARD_NONKEY }
        let result = avcodec_open2(raw, codec, nil)
        if result < 0 {
            var error = MediaError.libav(
                result, "cannot open the \(stream.codecName) decoder", input: input, stream: stream.index)
            if error.code == .internal { error.code = .badInput }
            throw error
        }
    }

    deinit {
        var context: UnsafeMutablePointer<AVCodecContext>? = raw
        avcodec_free_context(&context)
    }

    /// Gives the decoder a packet, or `nil` at the end.
    ///
    /// - Returns: `again` if frames must be taken first; the packet is then not used.
    func send(_ packet: Packet?) throws -> Flow {
        let result = avcodec_send_packet(raw, packet?.raw)
        return try Flow(result) ?? refused(result)
    }

    /// Takes the next frame.
    func receive(into frame: Frame) throws -> Flow {
        while true {
            let result = avcodec_receive_frame(raw, frame.raw)
            if let flow = Flow(result) { return flow }
            // With frame threads a packet's error shows only here; the frames after it are still to come.
            _ = try refused(result)
        }
    }

    func flush() { avcodec_flush_buffers(raw) }

    private func refused(_ result: Int32) throws -> Flow {
        // Memory and such are not the packet's fault.
        guard result != cav_error(ENOMEM) else {
            throw MediaError.libav(result, "cannot decode", input: stream.demuxer.name, stream: stream.index)
        }
        if log.recent(12).contains(where: { $0.contains("exceeds specified max pixel count") }) {
            throw MediaError(
                .resourceLimit, "its pictures grow larger than the limit of \(raw.pointee.max_pixels) pixels",
                hint: "raise limits.pixels", input: stream.demuxer.name, stream: stream.index,
                libav: MediaError.Libav(code: result, text: MediaError.libavText(result)))
        }
        refusedPackets += 1
        if raw.pointee.err_recognition & AV_EF_EXPLODE != 0 {
            throw MediaError(
                .badInput, "damaged \(stream.codecName) data", hint: "allow losses with tolerance.strict = false",
                input: stream.demuxer.name, stream: stream.index,
                libav: MediaError.Libav(code: result, text: MediaError.libavText(result)))
        }
        return .ready
    }
}
