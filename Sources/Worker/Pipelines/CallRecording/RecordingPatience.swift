import FoundationEssentials

/// How long a recording is waited for that Twilio has announced and not finished.
///
/// The URL that the `action` of `<Record>` gets may not lead anywhere yet; what is not there after half an hour will not come.
enum RecordingPatience {
    static let limit = Duration.seconds(1800)
    private static let shortest = Duration.seconds(5)
    private static let longest = Duration.seconds(120)

    /// How long to wait before the next look; `nil` to give up.
    ///
    /// - Parameter waited: since the first look.
    static func wait(after waited: Duration) -> Duration? {
        guard waited < limit else { return nil }
        return min(max(waited / 2, shortest), longest)
    }
}

/// What Twilio knows of a recording. https://www.twilio.com/docs/voice/api/recording
struct RecordingMetadata: Decodable, Sendable {
    var status: String?
    /// Why it is absent.
    var errorCode: Int?

    private enum CodingKeys: String, CodingKey {
        case status
        case errorCode = "error_code"
    }

    /// Whether it is still being made.
    var isUnderWay: Bool { ["in-progress", "paused", "stopped", "processing"].contains(status) }
    /// Whether it never comes.
    var isGone: Bool { ["absent", "deleted"].contains(status) }
}
