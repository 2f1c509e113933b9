import Glibc
import MediaKit

// Clip IN OUT TEXT: burns TEXT into the first three seconds of IN.
let arguments = CommandLine.arguments.dropFirst()
guard arguments.count == 3, let input = arguments.first, let text = arguments.last else {
    print("usage: Clip IN OUT TEXT")
    exit(64)
}
let output = arguments[2]

let request = BurnSubtitles(
    input: "\(input)",
    subtitles: .text("1\n00:00:00,000 --> 00:00:03,000\n\(text)\n"),
    output: "\(output)",
    overwrite: true
)
do {
    let result = try await MediaEngine().run(request)
    print("\(output): \(result.duration) s, \(result.warnings.count) warnings")
} catch {
    print("Clip: \(error)")
    exit(1)
}
