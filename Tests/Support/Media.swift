import Foundation

/// The folder of real clips that some tests look at: `KILN_TEST_MEDIA`, else `../shared/media` beside the package.
/// Tests that need it are skipped where it is missing.
public enum Media {
    public static let folder: String? = {
        let candidates = [
            ProcessInfo.processInfo.environment["KILN_TEST_MEDIA"],
            FileManager.default.currentDirectoryPath + "/../shared/media",
            packageFolder + "/../shared/media",
        ]
        return candidates.compactMap { $0 }.first { FileManager.default.fileExists(atPath: $0 + "/MANIFEST.md") }
    }()

    public static var isPresent: Bool { folder != nil }

    /// The path of a file such as "video/friday_480p_speech.mp4"; one that does not exist where there is no folder.
    public static func file(_ name: String) -> String { "\(folder ?? "/nonexistent")/\(name)" }

    /// The names of all files in a sub-folder, sorted: "video/a.mp4", …
    public static func files(in name: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: file(name))) ?? []
        return names.sorted().map { "\(name)/\($0)" }
    }

    private static let packageFolder: String = {
        // Tests/Support/Media.swift
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .path
    }()
}
