import ArgumentParser
import MediaKit

/// The root of the command line.
struct KilnCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kiln",
        abstract: "Looks into, converts and captions media, and looks after the queue of jobs.",
        discussion: """
            Times are seconds (90.5) or clocks (1:30.5, 00:01:30.500); bit rates take k and M (128k, 2.5M). "-" stands \
            for standard input or output.

            The commands of the queue find its database by --database or DATABASE_URL.

            Exit codes: 0 done, 1 a job that was followed or waited for did not succeed, 64 usage, 65 bad input, \
            66 no such input or job, 69 unsupported or no database, 70 internal, 73 cannot create, 74 input/output, \
            75 resource limit, 77 not permitted, 78 queue, store or credentials not set up, 130 cancelled.
            """,
        version: versionText,
        subcommands: [
            ProbeCommand.self,
            TranscodeCommand.self,
            BurnCommand.self,
            ExtractAudioCommand.self,
            NormalizeCommand.self,
            MixCommand.self,
            TranscribeCommand.self,
            ConcatCommand.self,
            LoopCommand.self,
            WaveformCommand.self,
            ThumbnailCommand.self,
            RunCommand.self,
            CapabilitiesCommand.self,
            SampleCommand.self,
        ],
        groupedSubcommands: [
            CommandGroup(
                name: "Service",
                subcommands: [
                    DevCommand.self, WorkerCommand.self, ServeCommand.self, KindsCommand.self, ConfigCommand.self,
                    DoctorCommand.self, TokenCommand.self,
                ]),
            CommandGroup(
                name: "Queue",
                subcommands: [
                    EnqueueCommand.self, JobsCommand.self, JobCommand.self, CancelCommand.self, RetryCommand.self,
                    WorkflowCommand.self, DeadCommand.self, QueuesCommand.self, PauseCommand.self, ResumeCommand.self,
                    ScheduleCommand.self, CallCommand.self, WorkersCommand.self, HealthCommand.self,
                    MigrateCommand.self,
                ]),
        ])

    /// One line: this version, the FFmpeg release, and the libraries that are loaded.
    private static var versionText: String {
        let libraries = LibavLibrary.versions.map { "lib\($0.name) \($0.loaded)" }.joined(separator: ", ")
        return "kiln \(MediaKitVersion.current) (FFmpeg \(LibavLibrary.release), \(libraries))"
    }
}
