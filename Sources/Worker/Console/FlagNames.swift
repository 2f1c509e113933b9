/// Speaks of requests' keys by the flags that set them.
enum FlagNames {
    /// Longer keys before those that they begin with.
    private static let names = [
        ("video.crf", "--crf"), ("video.bitRate", "--video-bitrate"), ("video.maximumBitRate", "--max-bitrate"),
        ("video.bufferSize", "--buffer-size"), ("video.twoPass", "--two-pass"), ("video.tune", "--tune"),
        ("video.profile", "--profile"), ("video.preset", "--preset"), ("video.level", "--level"),
        ("video.gopSeconds", "--gop-seconds"), ("video.codec", "--video-codec"), ("audio.bitRate", "--audio-bitrate"),
        ("audio.sampleRate", "--sample-rate"), ("audio.channels", "--channels"), ("audio.gain", "--gain"),
        ("audio.codec", "--audio-codec"), ("limits.pixels", "--limit-pixels"),
        ("limits.durationSeconds", "--limit-duration"), ("limits.outputBytes", "--limit-output-bytes"),
        ("limits.streams", "--limit-streams"), ("limits.wallSeconds", "--limit-wall-time"),
        ("tolerance.lostFrames", "--lost-frames"), ("size.width", "--width"), ("size.height", "--height"),
        ("set container to", "set --container to"), ("allow overwriting", "use -y to replace it,"),
    ]

    static func replacing(in text: String) -> String {
        names.reduce(text) { text, name in
            var parts: [Substring] = []
            var rest = text[...]
            while let found = rest.firstRange(of: name.0) {
                parts.append(rest[..<found.lowerBound])
                rest = rest[found.upperBound...]
            }
            return (parts + [rest]).joined(separator: name.1)
        }
    }
}
