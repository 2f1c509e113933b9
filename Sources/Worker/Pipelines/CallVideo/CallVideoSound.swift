import MediaKit

extension CallVideoRun {
    /// The call's sound as it will be heard.
    struct Sound: Codable, Sendable {
        var location: String
        var loudness: CallVideo.Loudness
    }

    /// The call by itself, as loud as is asked for, and with music below it where there is some.
    func normalized() async throws -> Sound {
        // Mixed to one before it is measured: two sides beside each other are louder than one above the other.
        let plain = work.location("sound.flac")
        _ = try await media.run(
            ExtractAudio(
                input: payload.audio, output: plain, container: .flac,
                audio: AudioSettings(codec: .flac, sampleRate: 48_000, channels: payload.isMono ? 1 : nil),
                track: payload.speech.track, overwrite: true, threads: payload.threads, limits: innerLimits))
        let level = work.location("level.flac")
        let call = try await leveled(plain, to: level)
        guard let music = payload.music else { return Sound(location: level, loudness: call) }
        let mixed = work.location("mixed.flac"), whole = work.location("whole.flac")
        _ = try await media.run(mix(level, music, to: mixed))
        // Music adds to the call, above all where nobody speaks.
        let mix = try await leveled(mixed, to: whole)
        return Sound(
            location: whole,
            loudness: CallVideo.Loudness(before: call.before, after: mix.after, gain: call.gain + mix.gain))
    }

    func mix(_ call: String, _ music: CallVideo.Music, to output: String) -> MixAudio {
        MixAudio(
            inputs: [
                MixInput(input: call),
                MixInput(
                    input: music.input, gain: music.gain, fadeIn: 0.5, fadeOut: 2, loop: true, duck: Ducking(key: 0)),
            ], output: output, container: .flac, audio: AudioSettings(codec: .flac, sampleRate: 48_000),
            length: .first, overwrite: true, threads: payload.threads, limits: innerLimits)
    }

    private func leveled(_ input: String, to output: String) async throws -> CallVideo.Loudness {
        // AAC adds more than half a decibel to a peak: a ceiling of -2 keeps the result below -1.
        let made = try await media.run(
            NormalizeLoudness(
                input: input, output: output, container: .flac, target: payload.loudness, ceiling: -2,
                audio: AudioSettings(codec: .flac), overwrite: true, threads: payload.threads, limits: innerLimits))
        guard let track = made.tracks.first else { throw MediaError(.internal, "a level without a track") }
        return CallVideo.Loudness(before: track.before.integrated, after: track.after.integrated, gain: track.gain)
    }
}
