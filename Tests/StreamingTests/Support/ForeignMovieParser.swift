import Foundation
import ProcessTestSupport
import TransferTestSupport

/// A parser of movies that is not ours (pymp4), asked whether a movie is one.
enum ForeignMovieParser {
    /// What it says of a movie.
    struct Movie: Decodable {
        struct Track: Decodable {
            /// "vide", "soun"
            var kind: String
            /// "avc1"
            var codec: String
            var samples: Int
            var seconds: Double
            /// Whether its offsets have 64 bits.
            var wide: Bool
        }
        /// The types of the file's boxes, in order.
        var boxes: [String]
        var tracks: [Track]
    }

    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    /// A Python that has it; `nil` where there is none.
    static let python: String? = MotoServer.python.flatMap {
        (try? run($0, ["-c", "import pymp4.parser"])) == nil ? nil : $0
    }
    static let absence = "no pymp4: scripts/setup --test gets it from PyPI"

    /// - Throws: ``Refusal`` with what is wrong about the movie.
    static func read(_ path: String) throws -> Movie {
        guard let python else { throw Refusal(description: absence) }
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "check-movie.py").path
        return try JSONDecoder().decode(Movie.self, from: try run(python, [script, path]))
    }

    private static func run(_ python: String, _ arguments: [String]) throws -> Data {
        let process = Process()
        process.executableURL = URL(filePath: python)
        process.arguments = arguments
        let output = Pipe(), errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        // A few lines each, which fit into a pipe.
        let text = output.fileHandleForReading.readDataToEndOfFile()
        let complaint = errors.fileHandleForReading.readDataToEndOfFile()
        guard process.waitForOwnEnd() == 0 else {
            throw Refusal(description: String(decoding: complaint, as: UTF8.self))
        }
        return text
    }
}
