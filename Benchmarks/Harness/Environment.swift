import MediaKit

/// Where the figures come from: without it they cannot be compared with others.
struct Environment: Codable {
    var machine = Machine()
    var kiln = MediaKitVersion.current
    var ffmpegLibraries = LibavLibrary.release
    var libraries: [LibavLibrary.Version] = LibavLibrary.versions

    var lines: [String] {
        [machine.line, "Kiln \(kiln) on the libraries of FFmpeg \(ffmpegLibraries)"]
            + [machine.warning].compactMap { $0 }
    }
}
