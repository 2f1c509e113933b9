import MediaKit

/// Whether the libraries have what requests need.
struct CodecCheck: DoctorCheck {
    let name = "codecs"
    /// What requests that name no codec are encoded with.
    private static let usual: Set<String> = ["h264", "aac"]

    func run(_ context: DoctorContext) async throws -> [DoctorFinding] {
        let capabilities = try await Bounded.blocking { try Capabilities.current() }
        return Self.findings(capabilities)
    }

    static func findings(_ capabilities: Capabilities) -> [DoctorFinding] {
        let remedy = "install an FFmpeg with it: Debian's libavcodec-extra, or a build with the library enabled"
        let codecs = capabilities.video + capabilities.audio
        var findings: [DoctorFinding] = []
        for codec in codecs where codec.encoder == nil {
            let text = "FFmpeg \(capabilities.ffmpeg) has no encoder for \(codec.name)"
            findings.append(usual.contains(codec.name) ? .wrong(text, remedy) : .note(text, remedy))
        }
        for codec in codecs + capabilities.subtitles where codec.decoder == nil {
            let text = "FFmpeg \(capabilities.ffmpeg) has no decoder for \(codec.name)"
            findings.append(usual.contains(codec.name) ? .wrong(text, remedy) : .note(text, remedy))
        }
        for filter in capabilities.filters where !filter.isAvailable {
            findings.append(.note("FFmpeg \(capabilities.ffmpeg) has no filter \(filter.name), for \(filter.purpose)"))
        }
        let encoders = codecs.compactMap { codec in codec.encoder.map { "\(codec.name) (\($0))" } }
        return [.ok("FFmpeg \(capabilities.ffmpeg) encodes \(encoders.joined(separator: ", "))")] + findings
    }
}
