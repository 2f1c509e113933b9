import JobQueue

/// The kinds of jobs that there are. A new one is added here, and nowhere else.
enum JobKinds {
    /// Those that a worker's slots are for.
    static let work: [any JobKind.Type] = [
        MediaProbe.self,
        MediaTranscode.self,
        MediaBurnSubtitles.self,
        MediaExtractAudio.self,
        MediaNormalizeLoudness.self,
        MediaMixAudio.self,
        MediaConcatenate.self,
        MediaLoop.self,
        MediaWaveform.self,
        MediaThumbnail.self,
        SpeechTranscribe.self,
        CaptionVideo.self,
        CallRecording.self,
        CallVideo.self,
        AppRequest.self,
    ]

    /// Messages about jobs. They have slots of their own: neither does a slow receiver hold up work, nor the other way
    /// round.
    static let messages: [any JobKind.Type] = [WebhookDelivery.self]

    static let all = work + messages

    static var names: [String] { all.map { $0.name } }
}
