import Foundation
import Logging
import Testing

@testable import Telemetry

/// A file that log lines go to.
final class LogFile {
    let output: LogOutput
    private let descriptor: Int32
    private let path: String

    init(showsColours: Bool? = nil) throws {
        path = FileManager.default.temporaryDirectory.appending(path: "log-\(UUID()).txt").path
        descriptor = open(path, O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0o600)
        try #require(descriptor >= 0)
        output = LogOutput(descriptor: descriptor, showsColours: showsColours)
    }

    deinit {
        close(descriptor)
        unlink(path)
    }

    var text: String { get throws { try String(decoding: Data(contentsOf: URL(filePath: path)), as: UTF8.self) } }

    /// The lines, by whatever any reader may take for the end of one.
    var lines: [String] {
        get throws {
            let text = try text
            try #require(text.isEmpty || text.hasSuffix("\n"))
            return text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).dropLast().map(String.init)
        }
    }

    /// The lines as JSON objects.
    var objects: [[String: Any]] {
        get throws {
            try lines.map { line in
                try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            }
        }
    }
}

extension Logger {
    /// One that writes to `file`.
    init(_ format: LogFormat, to file: LogFile, label: String = "test", level: Logger.Level = .trace) {
        let output = file.output
        self.init(label: label) { format.handler(label: $0, level: level, output: output) }
    }
}

/// Text that breaks formats.
let hostileTexts = [
    "", "plain", "two\nlines", "\r\n", "tab\t", "quote \" backslash \\", "{\"level\":\"error\"}", "nul\u{0}bell\u{7}",
    "\u{1B}[31mred", "\u{85}\u{2028}\u{2029}\u{B}\u{C}", "é日本🎬👩‍👩‍👧", "b\u{FEFF}om", "\u{FFFD}", "\\u0041", "%s %n",
    "</script>",
    "\u{7F}\u{80}\u{9F}",
]
