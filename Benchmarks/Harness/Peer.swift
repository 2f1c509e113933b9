import FoundationEssentials

/// Another program that does the same.
struct Peer: Codable {
    /// "ffmpeg 5.1.8"
    var name: String
    var version: String
    var path: String
    /// The `ffprobe` that belongs to it, or the one in PATH.
    var probePath: String?
    var probeIsItsOwn: Bool

    /// "5" of "5.1.8"; `nil` for builds that bear a date.
    var major: Int? { version.drop { !$0.isNumber }.split(separator: ".").first.flatMap { Int($0) } }

    /// Asks the command at `path`, or of that name, what it is.
    init(path: String) throws {
        let ended = try ChildProcess(program: path, arguments: ["-version"]).run()
        let words =
            String(decoding: ended.output, as: UTF8.self).split(separator: "\n").first?.split(separator: " ") ?? []
        guard words.count >= 3, words[1] == "version" else {
            throw ChildProcess.Failure(description: "\(path) is not ffmpeg: it does not answer -version like one")
        }
        // "5.1.8-0+deb12u1", "n9.0.2-17-g2a571b6068-20260930": what comes after the release is the packager's.
        let full = words[2].first == "n" ? words[2].dropFirst() : words[2]
        version = String(full.prefix { $0.isNumber || $0 == "." })
        if version.isEmpty { version = String(full) }
        name = "ffmpeg \(version)"
        self.path = Self.resolve(path) ?? path
        let beside = URL(fileURLWithPath: self.path).deletingLastPathComponent().appendingPathComponent("ffprobe").path
        probeIsItsOwn = FileManager.default.isExecutableFile(atPath: beside)
        probePath = probeIsItsOwn ? beside : Self.resolve("ffprobe")
    }

    /// The file that a name stands for.
    static func resolve(_ name: String) -> String? {
        if name.contains("/") { return name }
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        return folders.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
