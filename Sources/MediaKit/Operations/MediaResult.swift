/// The result of any operation.
public enum MediaResult: Codable, Sendable {
    /// Of a ``Probe``.
    case info(MediaInfo)
    /// Of a ``Transcode``, ``BurnSubtitles``, ``MixAudio``, ``ConcatenateClips`` or ``LoopTo``.
    case render(RenderResult)
    /// Of an ``ExtractAudio``.
    case audio(ExtractAudioResult)
    /// Of a ``SampleClip``.
    case sample(SampleClipResult)
    /// Of a ``MeasureLoudness``.
    case loudness(MeasureLoudnessResult)
    /// Of a ``NormalizeLoudness``.
    case normalized(NormalizeLoudnessResult)

    /// Of a ``Waveform``.
    case waveform(WaveformResult)
    /// Of a ``Thumbnail``.
    case thumbnail(ThumbnailResult)

    private enum Key: String, CodingKey, CaseIterable {
        case info, render, audio, sample, loudness, normalized, waveform, thumbnail
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        if let info = try values.decodeIfPresent(MediaInfo.self, forKey: .info) {
            self = .info(info)
        } else if let audio = try values.decodeIfPresent(ExtractAudioResult.self, forKey: .audio) {
            self = .audio(audio)
        } else if let sample = try values.decodeIfPresent(SampleClipResult.self, forKey: .sample) {
            self = .sample(sample)
        } else if let loudness = try values.decodeIfPresent(MeasureLoudnessResult.self, forKey: .loudness) {
            self = .loudness(loudness)
        } else if let made = try values.decodeIfPresent(NormalizeLoudnessResult.self, forKey: .normalized) {
            self = .normalized(made)
        } else if let waveform = try values.decodeIfPresent(WaveformResult.self, forKey: .waveform) {
            self = .waveform(waveform)
        } else if let thumbnail = try values.decodeIfPresent(ThumbnailResult.self, forKey: .thumbnail) {
            self = .thumbnail(thumbnail)
        } else {
            self = .render(try values.decode(RenderResult.self, forKey: .render))
        }
    }

    public func encode(to encoder: any Swift.Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        switch self {
        case .info(let value): try values.encode(value, forKey: .info)
        case .render(let value): try values.encode(value, forKey: .render)
        case .audio(let value): try values.encode(value, forKey: .audio)
        case .sample(let value): try values.encode(value, forKey: .sample)
        case .loudness(let value): try values.encode(value, forKey: .loudness)
        case .normalized(let value): try values.encode(value, forKey: .normalized)
        case .waveform(let value): try values.encode(value, forKey: .waveform)
        case .thumbnail(let value): try values.encode(value, forKey: .thumbnail)
        }
    }
}
