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

    var selection: StreamSelection {
        StreamSelection(video: videoStream, audio: audioStream ?? .best, subtitles: subtitleStream ?? .all)
    }
}
