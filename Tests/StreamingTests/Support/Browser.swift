import Foundation
import ProcessTestSupport
import TestSupport

/// Chromium without a window.
enum Browser {
    /// Where it is: `KILN_CHROMIUM`, or on the path under one of its names.
    static let program: String? = {
        let environment = ProcessInfo.processInfo.environment
        if let named = environment["KILN_CHROMIUM"] { return named }
        let folders = (environment["PATH"] ?? "").split(separator: ":").map(String.init) + ["/usr/bin"]
        return ["chromium", "chromium-headless-shell", "google-chrome"].lazy
            .flatMap { name in folders.lazy.map { "\($0)/\(name)" } }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }()
    static let absence = "no Chromium: scripts/setup --test installs it where Debian has it"

    struct Missing: Error {}

    /// Shows a page while `body` runs.
    static func show<Value>(_ url: String, _ body: () async throws -> Value) async throws -> Value {
        guard let program else { throw Missing() }
        let profile = try Scratch()
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = [
            // The sandbox wants privileges that a container may not give; the page is our own.
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--mute-audio",
            "--disable-background-networking", "--autoplay-policy=no-user-gesture-required",
            // Keeps it there once the page is loaded.
            "--remote-debugging-port=0", "--user-data-dir=\(profile.path)", url,
        ]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        defer {
            // Its whole family, which is a process group: Debian's command is a script that starts the real one.
            kill(-process.processIdentifier, SIGKILL)
            _ = process.waitForOwnEnd()
        }
        return try await body()
    }
}
