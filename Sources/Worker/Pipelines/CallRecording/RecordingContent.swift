/// What an answer holds that should be a recording, by its type and first bytes.
struct RecordingContent: Sendable, Hashable {
    var format: RecordingAddress.Format
    /// Where the head of the file says it.
    var channels: Int?

    var mediaType: String {
        switch format {
        case .wav: "audio/wav"
        case .mp3: "audio/mpeg"
        }
    }

    /// How many bytes are looked at.
    static let headBytes = 64

    /// `nil` for what is no sound: a page, an error in XML, text.
    ///
    /// - Parameters:
    ///   - type: what the answer says of itself. Storage elsewhere may say nothing of use; but what says that it is text
    ///     is no sound.
    ///   - head: the first bytes, up to ``headBytes``.
    init?(type: String?, head: [UInt8]) {
        let type = (type ?? "").prefix { $0 != ";" }.lowercased()
        let isSound = type.hasPrefix("audio/")
        guard isSound || ["", "application/octet-stream", "binary/octet-stream"].contains(type) else { return nil }
        if head.starts(with: Array("RIFF".utf8)), head.dropFirst(8).starts(with: Array("WAVE".utf8)) {
            format = .wav
            // The chunk "fmt " comes first in what Twilio sends; elsewhere the number is not known.
            if head.count >= 24, head[12..<16].elementsEqual("fmt ".utf8) {
                channels = Int(head[22]) | Int(head[23]) << 8
            }
        } else if head.starts(with: Array("ID3".utf8)) || head.count > 1 && head[0] == 0xFF && head[1] & 0xE0 == 0xE0 {
            format = .mp3
        } else {
            return nil
        }
    }
}
