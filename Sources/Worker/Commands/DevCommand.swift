import ArgumentParser
import FoundationEssentials
import Logging
import MediaKit
import Telemetry
import Transfer

struct DevCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev", abstract: "Try everything out here: no settings, no services.",
        discussion: """
            Starts a private Postgres, a store in a folder, the API and a worker, all below .kiln and for this machine \
            alone. With a video, burns the captions in that lie beside it (srt, vtt, ass), or those within, or what is \
            recognised of its sound, through the queue. Without one, serves until Ctrl-C. At the end all of it is gone.

              kiln dev                    # prints lines to paste
              kiln dev talk.mp4           # out/talk.captioned.mp4
              kiln dev --sample --serve
            """)

    @Argument(help: "A video to burn captions into.")
    var video: String?
    @Flag(help: "Make a clip with spoken words, where there is no video, and burn them in.")
    var sample = false
    @Option(name: .shortAndLong, help: "Where the result goes (default: out/NAME.captioned.EXTENSION).")
    var output: String?
    @Flag(help: "Go on serving when the video is done.")
    var serve = false
    @Flag(help: "Keep the database and the store in .kiln for the next time.")
    var keep = false
    @Option(help: "The API's port; 0 for any that is free (default: 8000, or the next that is free).")
    var port: Int?
    @Flag(help: "Print the result as JSON; of a failure, {\"error\": {…}}.")
    var json = false
    @Option(help: "auto, bar, json (one object a line, on standard error) or none.")
    var progress: ProgressMode = .auto
    @Flag(name: .shortAndLong, help: "Print neither progress nor where things are.")
    var quiet = false
    @Flag(help: "Write what the service logs to standard error.")
    var verbose = false

    func validate() throws {
        if video != nil, sample { throw ValidationError("--sample makes the video itself; leave out one of the two") }
        if output != nil, video == nil, !sample {
            throw ValidationError("--output needs a video, or --sample")
        }
        if let port, !(0...65_535).contains(port) { throw ValidationError("--port is 0 to 65535") }
    }

    func run() async throws {
        let level: Logger.Level = verbose ? .info : .error
        LoggingSystem.bootstrap { LogFormat.text.handler(label: $0, level: level) }
        DevEnvironment.forgetPostgres()
        let run = DevRun(
            DevRun.Plan(
                folder: FileManager.default.currentDirectoryPath, video: video, makesSample: sample, output: output,
                serves: serve, keeps: keep, port: port, json: json, isQuiet: quiet, progress: progress),
            logger: Logger(label: "kiln"))
        let console: Console? = json ? .output : nil
        do {
            let work = Task { try await run.run() }
            try await KilnProgram.withService {
                try await work.value
            } drain: {
                work.cancel()
            }
        } catch let error as TransferError {
            throw CommandFailure(MediaError(error, input: nil), json: console)
        } catch {
            throw CommandFailure.wrapping(error, json: console)
        }
    }
}
