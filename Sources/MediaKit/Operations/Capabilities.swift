import CAVShim
import CLibass
import Glibc

/// What this engine can do with the libraries that are loaded.
///
/// ```swift
/// let capabilities = try Capabilities.current()
/// print(capabilities.video.filter { $0.encoder != nil }.map(\.name))
/// ```
public struct Capabilities: Codable, Sendable, Equatable {
    /// A codec that requests can name.
    public struct Codec: Codable, Sendable, Equatable {
        /// As requests name it: "h264".
        public var name: String
        /// libav's names; `nil` where the libraries have none.
        public var encoder: String?
        /// The decoder by libav's name; `nil` where the libraries have none.
        public var decoder: String?
    }

    /// A filter that the engine uses.
    public struct Filter: Codable, Sendable, Equatable {
        /// As libav names it: "scale".
        public var name: String
        /// Whether the loaded libavfilter has it.
        public var isAvailable: Bool
        /// What is not possible without it.
        public var purpose: String
    }

    /// Where fonts for captions come from.
    public struct Fonts: Codable, Sendable, Equatable {
        /// How libass finds the system's fonts: "fontconfig"; empty if it cannot.
        public var providers: [String]
        /// Files of the system's and the user's fonts.
        public var files: Int
        /// The names of their families, sorted, as ``CaptionStyle/fontFamily`` takes them.
        public var families: [String]
    }

    /// Of this package.
    public var version: String
    /// The FFmpeg release that the loaded libavcodec belongs to.
    public var ffmpeg: String
    /// Each libav library's version, as built against and as loaded.
    public var libraries: [LibavLibrary.Version]
    /// "major.minor.patch"
    public var libass: String
    /// Those that the loaded libraries can write.
    public var containers: [Container]
    /// Video codecs that requests can name, whether or not the libraries have them.
    public var video: [Codec]
    /// Audio codecs that requests can name, whether or not the libraries have them.
    public var audio: [Codec]
    /// Text formats of subtitles that can be read.
    public var subtitles: [Codec]
    /// The filters that the engine uses, whether or not the libraries have them.
    public var filters: [Filter]
    /// Where fonts for captions come from on this machine.
    public var fonts: Fonts
    /// Cores that a job uses unless told otherwise.
    public var cores: Int

    /// Asks the libraries.
    ///
    /// - Throws: ``MediaError`` with code `unsupported` if the loaded libraries are not those that this was built
    ///   against.
    public static func current() throws -> Capabilities {
        try LibavLibrary.start()
        return Capabilities(
            version: MediaKitVersion.current, ffmpeg: LibavLibrary.release, libraries: LibavLibrary.versions,
            libass: libassVersion, containers: Container.allCases.filter { av_guess_format($0.muxer, nil, nil) != nil },
            video: videoCodecs, audio: audioCodecs, subtitles: subtitleCodecs, filters: filters, fonts: fonts,
            cores: CoreBudget.process.cores)
    }

    // MARK: Codecs

    private static var videoCodecs: [Codec] {
        let decoders: [(VideoCodec, AVCodecID)] = [
            (.h264, AV_CODEC_ID_H264), (.hevc, AV_CODEC_ID_HEVC), (.av1, AV_CODEC_ID_AV1), (.vp9, AV_CODEC_ID_VP9),
        ]
        return decoders.map { codec, id in
            self.codec(codec.rawValue, encoders: VideoEncoderChoice.encoders(for: codec), decoder: id)
        }
    }

    private static var audioCodecs: [Codec] {
        let decoders: [(AudioCodec, AVCodecID)] = [
            (.aac, AV_CODEC_ID_AAC), (.opus, AV_CODEC_ID_OPUS), (.mp3, AV_CODEC_ID_MP3), (.flac, AV_CODEC_ID_FLAC),
            (.pcm, AV_CODEC_ID_PCM_S16LE),
        ]
        return decoders.map { codec, id in
            self.codec(codec.rawValue, encoders: AudioEncoderChoice.encoders(for: codec), decoder: id)
        }
    }

    private static var subtitleCodecs: [Codec] {
        let decoders: [(String, AVCodecID)] = [
            ("srt", AV_CODEC_ID_SUBRIP), ("webvtt", AV_CODEC_ID_WEBVTT), ("ass", AV_CODEC_ID_ASS),
            ("mov_text", AV_CODEC_ID_MOV_TEXT),
        ]
        return decoders.map { codec($0.0, encoders: [], decoder: $0.1) }
    }

    private static func codec(_ name: String, encoders: [String], decoder id: AVCodecID) -> Codec {
        Codec(
            name: name, encoder: encoders.first { avcodec_find_encoder_by_name($0) != nil },
            decoder: avcodec_find_decoder(id).map { String(cString: $0.pointee.name) })
    }

    // MARK: The rest

    private static var filters: [Filter] {
        [
            ("scale", "other picture sizes and formats"), ("bwdif", "interlaced input made progressive"),
            ("zscale", "HDR shown as SDR"), ("tonemap", "HDR shown as SDR"),
            ("transpose", "turned video stood upright"),
            ("fps", "constant frame rates"), ("aformat", "sound in another format"), ("volume", "gain"),
            ("showwaves", "waveforms"), ("showwavespic", "waveforms as single pictures"),
            ("showspectrum", "spectra"), ("showfreqs", "frequency bars"), ("overlay", "waveforms on a background"),
            ("testsrc2", "sample clips"), ("flite", "sample clips that speak"),
        ].map { Filter(name: $0.0, isAvailable: avfilter_get_by_name($0.0) != nil, purpose: $0.1) }
    }

    /// libass writes its version in binary-coded decimals: 0x01703000 is 0.17.3. See LIBASS_VERSION in ass.h.
    private static var libassVersion: String {
        let version = ass_library_version()
        func decimal(_ shift: Int32) -> Int32 { (version >> (shift + 4) & 0xf) * 10 + (version >> shift & 0xf) }
        return "\(version >> 28 & 0xf).\(decimal(20)).\(decimal(12))"
    }

    private static var fonts: Fonts {
        var providers: [String] = []
        if let library = ass_library_init() {
            var list: UnsafeMutablePointer<ASS_DefaultFontProvider>?
            var count = 0
            ass_get_available_font_providers(library, &list, &count)
            for index in 0..<max(0, count) {
                switch list?[index] {
                case ASS_FONTPROVIDER_FONTCONFIG: providers.append("fontconfig")
                case ASS_FONTPROVIDER_CORETEXT: providers.append("coretext")
                case ASS_FONTPROVIDER_DIRECTWRITE: providers.append("directwrite")
                // "None" and "the best there is" are no providers of their own.
                default: break
                }
            }
            free(list)
            ass_library_done(library)
        }
        let system = SystemFonts.list()
        return Fonts(providers: providers, files: system.files, families: system.families)
    }
}
