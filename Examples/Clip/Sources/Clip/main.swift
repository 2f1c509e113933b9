import Glibc
import MediaKit

// Clip IN OUT TEXT: burns TEXT into the first three seconds of IN.
let arguments = CommandLine.arguments
guard arguments.count == 4 else {
    print("usage: Clip IN OUT TEXT")
    exit(64)
}

let request = BurnSubtitles(
    input: arguments[1],
    subtitles: .text("1\n00:00:00,000 --> 00:00:03,000\n\(arguments[3])\n"),
    output: arguments[2],
    overwrite: true
)
do {
    let result = try await MediaEngine().run(request)
    print("\(arguments[2]): \(result.warnings.count) warnings")
} catch {
    print("Clip: \(error)")
    exit(1)
}
