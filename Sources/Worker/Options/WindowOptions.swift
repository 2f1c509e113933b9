import ArgumentParser
import MediaKit

/// Which part of the input is used.
struct WindowOptions: ParsableArguments {
    @Option(help: "Where the result begins: seconds, or HH:MM:SS.mmm.")
    var start: Seconds?
    @Option(help: "Where the result ends, on the input's clock.")
    var end: Seconds?
}

/// Which streams of the input are used.
struct StreamOptions: ParsableArguments {
    @Option(help: "The video stream, counted from 0 among its kind (default: the largest).")
    var videoStream: Int?
    @Option(help: "best, all, or numbers: 0,2 (default: best).")
    var audioStream: StreamSelection.Choice?
    @Option(help: "Subtitles to carry along: best, all, none, or numbers (default: all that the container takes).")
    var subtitleStream: StreamSelection.Choice?
    @Option(
        name: .customLong("text-track"),
        help: "A track of subtitles to make, of a file: talk.srt, or de:talk.srt with its language; may be repeated.")
    var textTrackArguments: [TextTrackArgument] = []

    var textTracks: [TextTrack] { textTrackArguments.map(\.track) }

    var selection: StreamSelection {
        StreamSelection(video: videoStream, audio: audioStream ?? .best, subtitles: subtitleStream ?? .all)
    }
}

/// A subtitle file, with its language before a colon.
struct TextTrackArgument: ExpressibleByArgument {
    var track: TextTrack

    init?(argument: String) {
        let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        // "https://…" has no language before its colon.
        if parts.count == 2, (2...3).contains(parts[0].count), parts[0].allSatisfy(\.isLetter), !parts[1].isEmpty {
            track = TextTrack(subtitles: .file(String(parts[1])), language: String(parts[0]))
        } else {
            track = TextTrack(subtitles: .file(argument))
        }
    }
}
