import Foundation
import TestSupport

/// An input as it is found in the wild, or one that is made where the folder of real clips is missing.
struct ProofClip: Sendable {
    /// "speech.mp4"
    let name: String
    /// A file with it.
    let path: String
    private let bench: Workbench

    private init(_ name: String, _ bench: Workbench, _ path: String) {
        self.name = name
        self.path = path
        self.bench = bench
    }

    var bytes: [UInt8] { FileManager.default.contents(atPath: path).map(Array.init) ?? [] }

    /// Pictures of 480 lines at most, and sound: more than 4 s.
    static func film() async throws -> ProofClip { try await movie("video/friday_480p_speech.mp4") }

    /// A film of a phone.
    static func phone() async throws -> ProofClip { try await movie("video/concat_part2_480x272.mp4") }

    private static func movie(_ real: String) async throws -> ProofClip {
        let bench = try Workbench()
        guard !Media.isPresent else { return ProofClip(fileName(real), bench, Media.file(real)) }
        return ProofClip(
            fileName(real), bench, try await bench.movie(.ordinary(seconds: 5, width: 320, height: 192)))
    }

    /// Speech of 16 bits, uncompressed.
    static func speech() throws -> ProofClip {
        let bench = try Workbench(), real = "audio/jfk_16k.wav"
        guard !Media.isPresent else { return ProofClip(fileName(real), bench, Media.file(real)) }
        return ProofClip(
            "speech.mkv", bench, try bench.put(TestClip(audio: [TestClip.Audio(seconds: 5, sampleRate: 16_000)])))
    }

    private static func fileName(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    func decoded(width: Int = 320, until: Double = .infinity) throws -> DecodedMedia {
        try DecodedMedia(path: path, pictureWidth: width, until: until)
    }
}
