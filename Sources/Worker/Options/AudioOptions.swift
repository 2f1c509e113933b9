import ArgumentParser
import MediaKit

/// How sound is made.
struct AudioOptions: ParsableArguments {
    @Option(help: "auto, copy, aac, opus, mp3, flac, pcm, or none.")
    var audioCodec: AudioCodec?
    @OptionGroup var sound: SoundOptions

    func settings() -> AudioSettings {
        AudioSettings(
            codec: audioCodec ?? .auto, bitRate: sound.audioBitrate?.value, sampleRate: sound.sampleRate,
            channels: sound.channels, gain: sound.gain)
    }
}

/// What can be asked of sound whatever becomes of it.
struct SoundOptions: ParsableArguments {
    @Option(help: "Bits per second, such as 128k.")
    var audioBitrate: Quantity?
    @Option(help: "Hz.")
    var sampleRate: Int?
    @Option(help: "1 to 8; more or fewer than the source are mixed.")
    var channels: Int?
    @Option(parsing: .unconditional, help: "Decibels, such as -6.")
    var gain: Double?
}
