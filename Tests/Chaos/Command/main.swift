import ChaosKit
import Foundation

// chaos [SECONDS] [--lease SECONDS] [--only TEXT]: runs the experiments and prints their table.
// chaos worker JSON: what the experiments start.
let arguments = CommandLine.arguments.dropFirst()
if arguments.first == "worker", let json = arguments.dropFirst().first {
    try await ChaosWorker.run(JSONDecoder().decode(WorkerSettings.self, from: Data(json.utf8)))
} else {
    try await LongForm(arguments: Array(arguments)).run()
}
