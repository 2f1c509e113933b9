import JobQueue
import MediaKit
import Transfer

/// Runs the checks at the same time, each within its bound.
struct Doctor: Sendable {
    var checks: [any DoctorCheck] = [
        SettingsCheck(), DatabaseCheck(), SchemaCheck(), ClockCheck(), StoreCheck(), CodecCheck(), FontCheck(),
        SpeechCheck(),
        DiskCheck(), MemoryCheck(), CoreCheck(), PortCheck(), WebhookCheck(),
    ]
    /// How long each may take.
    var limit: Duration = .seconds(20)

    func examine(_ context: DoctorContext) async -> DoctorReport {
        let entries = await withTaskGroup(of: (Int, DoctorReport.Entry).self) { group in
            for (index, check) in checks.enumerated() {
                group.addTask {
                    (index, DoctorReport.Entry(name: check.name, findings: await findings(of: check, context)))
                }
            }
            var entries: [(Int, DoctorReport.Entry)] = []
            for await entry in group { entries.append(entry) }
            return entries
        }
        return DoctorReport(checks: entries.sorted { $0.0 < $1.0 }.map(\.1))
    }

    private func findings(of check: any DoctorCheck, _ context: DoctorContext) async -> [DoctorFinding] {
        do {
            return try await Bounded.run(limit) { try await check.run(context) }
        } catch is Bounded.TimeIsUp {
            return [.wrong("no answer within \(DurationText.write(limit))", "see what it waits for: a network, a disk")]
        } catch {
            return [Self.finding(for: error)]
        }
    }

    /// What an error of any part says, and what to do about it.
    static func finding(for error: any Error) -> DoctorFinding {
        switch error {
        case var error as QueueError:
            let hint = error.hint
            error.hint = nil
            error.statement = nil
            return .wrong(error.description, hint)
        case var error as TransferError:
            let hint = error.hint
            error.hint = nil
            return .wrong(error.description, hint)
        case var error as MediaError:
            let hint = error.hint
            error.hint = nil
            return .wrong(error.description, hint)
        default: return .wrong("\(error)")
        }
    }
}
