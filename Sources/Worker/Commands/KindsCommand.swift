import ArgumentParser
import JobQueue
import MediaKit

struct KindsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kinds",
        abstract: "List the kinds of jobs that a worker runs, or show what their payloads hold.")
    @Argument(help: "One kind, such as media.transcode (default: all).")
    var kind: String?
    @Flag(help: "Print JSON Schema (2020-12): of the one kind, or an object of all by name.")
    var schema = false
    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let all = try JobKinds.all.map { try $0.description }
        let chosen = all.filter { kind == nil || $0.kind == kind }
        guard !chosen.isEmpty else {
            let meant = kind.flatMap { NearestName.to($0, in: JobKinds.names) }
            throw MediaError(
                .notFound, "there is no kind \((kind ?? "").printable)",
                hint: meant.map { "did you mean \($0)?" } ?? "kiln kinds lists them")
        }
        if schema {
            let schemas = Dictionary(uniqueKeysWithValues: chosen.map { ($0.kind, $0.schema.json) })
            let value = kind.flatMap { schemas[$0] } ?? .object(schemas)
            try Console.output.print(JSONText.pretty(value))
        } else if json {
            try Console.output.print(JSONText.pretty(chosen.map { Line($0) }))
        } else {
            try Console.output.print(
                QueueText.table(
                    ["KIND", "CORES", "MEMORY", "WHAT IT DOES"],
                    chosen.map {
                        [$0.kind, Figures.short($0.weight.cores, 2), Figures.bytes($0.weight.memory), $0.summary]
                    }, rightAligned: [1, 2], otherwise: "no kinds"))
        }
    }

    /// A kind as `--json` prints it.
    private struct Line: Encodable {
        var kind: String
        var summary: String
        var cores: Double
        var memory: Int64

        init(_ description: KindDescription) {
            kind = description.kind
            summary = description.summary
            (cores, memory) = (description.weight.cores, description.weight.memory)
        }
    }
}
