import FoundationEssentials
import Glibc
import MediaKit

/// The outputs of a round.
struct WorkerOutputs: Sendable {
    let work: WorkerWork
    let store: ObjectServerProcess
    let scratch: ScratchFolder

    /// Looks at each: the first is decoded and must be as long as it should; the others must have the same bytes as it, or
    /// one that was found equal to it when both were decoded.
    ///
    /// - Parameters:
    ///   - numbers: of the jobs.
    ///   - kept: where the first is left.
    /// - Throws: `ChildProcess.Failure` for the first that is wrong; what the store says if one is not there.
    func check(_ numbers: ClosedRange<Int>, keepingFirstAs kept: String) async throws {
        let path = scratch.path("looked-at\(work.suffix)")
        defer { unlink(path) }
        var known: [Data] = []
        for number in numbers {
            let key = work.output("\(number)")
            try await store.fetch(key, to: known.isEmpty ? kept : path)
            let bytes = try Data(contentsOf: URL(fileURLWithPath: known.isEmpty ? kept : path))
            if known.contains(bytes) { continue }
            if known.isEmpty {
                try await offPool { try lookAt(kept, key) }
            } else {
                let alike = try await offPool { try EquivalenceCheck.ofFiles(kept, path) }
                guard alike.holds else {
                    throw ChildProcess.Failure(description: "\(key) is not like the first output: \(alike.text)")
                }
            }
            known.append(bytes)
        }
    }

    private func lookAt(_ path: String, _ key: String) throws {
        let alike = try EquivalenceCheck.ofFiles(path, path)
        let info = try ChildTask.run([.probe(Probe(input: path))]).results.first.flatMap { Probe.output(of: $0) }
        let duration = info?.duration ?? 0
        guard alike.holds, abs(duration - work.seconds) < 0.1 else {
            throw ChildProcess.Failure(
                description: "\(key) lasts \(duration.fixed(3)) s instead of \(work.seconds.fixed(3)): \(alike.text)")
        }
    }
}
