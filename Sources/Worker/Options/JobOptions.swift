import ArgumentParser
import MediaKit

/// What a job may use, and what it puts up with.
struct JobOptions: ParsableArguments {
    @Option(help: "Cores to use (default: all that this process may use).")
    var threads: Int?
    @Flag(help: "Fail at the first damaged packet or frame.")
    var strict = false
    @Option(help: "The share of a stream's frames that may be lost (default: 0.05).")
    var lostFrames: Double?
    @OptionGroup var limit: LimitOptions

    var tolerance: Tolerance {
        Tolerance(lostFrames: lostFrames ?? Tolerance().lostFrames, strict: strict)
    }
}

/// Bounds with errors of their own.
struct LimitOptions: ParsableArguments {
    @Option(help: "Width × height of a picture at most.")
    var limitPixels: Int?
    @Option(help: "Length of the input at most, in seconds or HH:MM:SS.")
    var limitDuration: Seconds?
    @Option(help: "Bytes of the output at most, such as 500M.")
    var limitOutputBytes: Quantity?
    @Option(help: "Streams of the input at most.")
    var limitStreams: Int?
    @Option(help: "Time that the job may take, in seconds or HH:MM:SS.")
    var limitWallTime: Seconds?

    var limits: Limits {
        var limits = Limits()
        if let limitPixels { limits.pixels = limitPixels }
        limits.durationSeconds = limitDuration?.value
        limits.outputBytes = limitOutputBytes?.value
        if let limitStreams { limits.streams = limitStreams }
        limits.wallSeconds = limitWallTime?.value
        return limits
    }
}
