import ArgumentParser

/// `swift run -c release Benchmarks`: one subcommand per part of the system.
@main
struct BenchmarksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "Benchmarks", abstract: "Measures Kiln against what it stands in for.",
        subcommands: [
            MediaBenchmark.self, QueueBenchmark.self, SpeechBenchmark.self, TransferBenchmark.self,
            WorkerBenchmark.self,
            ChildCommand.self, WorkerCommand.self, TransferTaskCommand.self, ObjectServerCommand.self,
        ],
        defaultSubcommand: MediaBenchmark.self)
}
