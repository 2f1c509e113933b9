import CAVShim
import Glibc

/// The libav libraries as they are linked and loaded.
public enum LibavLibrary {
    /// One library: what this code was built against and what is loaded.
    public struct Version: Codable, Sendable, Equatable {
        /// Without "lib": "avcodec".
        public var name: String
        /// "major.minor.micro"
        public var built: String
        /// "major.minor.micro"
        public var loaded: String
    }

    /// Every library's versions, for reports.
    public static var versions: [Version] {
        pairs.map { Version(name: $0.name, built: text($0.built), loaded: text($0.loaded)) }
    }

    /// The FFmpeg release that the loaded libavcodec belongs to: "5.1", "7.1", …
    public static var release: String {
        let loaded = cav_runtime_versions().avcodec
        switch (loaded >> 16, (loaded >> 8) & 0xff) {
        case (59, 37...): return "5.1"
        case (59, _): return "5.0"
        case (60, 31...): return "6.1"
        case (60, _): return "6.0"
        case (61, 19...): return "7.1"
        case (61, _): return "7.0"
        case (62, 28...): return "8.1"
        case (62, _): return "8.0"
        case (63, _): return "9"
        case (let major, _): return "libavcodec \(major)"
        }
    }

    /// Sets the libraries up once per process: log, version check.
    ///
    /// - Throws: ``MediaError`` with code `unsupported` if a library's major version is not the one that this code
    ///   was built against: structures differ then, and the first call would corrupt memory.
    static func start() throws {
        if let problem { throw problem }
    }

    private static let problem: MediaError? = {
        for pair in pairs where pair.built >> 16 != pair.loaded >> 16 {
            return MediaError(
                .unsupported,
                "lib\(pair.name) \(text(pair.loaded)) is loaded, but this program was built against \(text(pair.built))",
                hint: "install the matching FFmpeg libraries or build again")
        }
        // SVT-AV1 prints to standard error by itself unless told otherwise (1: errors only).
        setenv("SVT_LOG", "1", 0)
        cav_log_install(AV_LOG_WARNING)
        return nil
    }()

    private static var pairs: [(name: String, built: UInt32, loaded: UInt32)] {
        let built = cav_build_versions()
        let loaded = cav_runtime_versions()
        return [
            ("avutil", built.avutil, loaded.avutil), ("avcodec", built.avcodec, loaded.avcodec),
            ("avformat", built.avformat, loaded.avformat), ("avfilter", built.avfilter, loaded.avfilter),
            ("swresample", built.swresample, loaded.swresample), ("swscale", built.swscale, loaded.swscale),
        ]
    }

    private static func text(_ version: UInt32) -> String {
        "\(version >> 16).\((version >> 8) & 0xff).\(version & 0xff)"
    }
}
