import Locking
import Transfer

/// One request in so many fails, in each way in turn that a request of its kind can fail in.
///
/// By counting and not by chance: no run meets the same request five times in a row and gives up.
package final class FaultyNetwork: Sendable {
    private struct State {
        var requests = 0
        var standing = 0
        var faults: [S3Request.Operation: Int] = [:]
        var injected: [String: Int] = [:]
    }
    private let state = Locked(State())
    private let interval: Int
    private let standingLimit: Int

    /// - Parameters:
    ///   - interval: every how many-th request fails.
    ///   - standingLimit: how many requests may stand still, each of which costs a client the time that it waits for
    ///     bytes; what would be one more is reset.
    package init(every interval: Int = 20, standingLimit: Int = .max) {
        self.interval = interval
        self.standingLimit = standingLimit
    }

    /// What was done wrong so far, by operation and kind, with counts.
    package var injected: [String: Int] { state.withLock { $0.injected } }
    /// Of all requests.
    package var share: Double {
        state.withLock { Double($0.injected.values.reduce(0, +)) / Double(max(1, $0.requests)) }
    }

    package func fault(_ request: S3Request) -> S3Fault? {
        state.withLock { state in
            state.requests += 1
            guard state.requests % interval == 0 else { return nil }
            let kinds = Self.kinds(request.operation)
            guard !kinds.isEmpty else { return nil }
            let turn = state.faults[request.operation, default: 0]
            state.faults[request.operation] = turn + 1
            var (name, fault) = kinds[turn % kinds.count]
            switch fault {
            case .stall, .silence:
                state.standing += 1
                if state.standing > standingLimit { (name, fault) = ("reset", .reset) }
            default: break
            }
            state.injected["\(request.operation): \(name)", default: 0] += 1
            return fault
        }
    }

    private static func kinds(_ operation: S3Request.Operation) -> [(String, S3Fault)] {
        let common: [(String, S3Fault)] = [
            ("500", .status(500, code: "InternalError")),
            ("503", .status(503, code: "SlowDown", headers: ["retry-after-ms": "5"])),
            ("reset", .reset),
        ]
        switch operation {
        case .get:
            return [
                ("reset in the body", .resetBody(after: 1000)), ("short body", .truncate(after: 700)),
                ("length too great", .wrongLength(by: 64)), ("stall in the body", .stall(after: 300)),
                ("length too small", .wrongLength(by: -64)), ("slow drip", .drip(bytes: 64 << 10, milliseconds: 5)),
                ("silence", .silence),
            ] + common
        case .put, .uploadPart:
            return common + [
                ("reset in the part", .resetUpload(after: 1000)), ("lost answer", .loseAnswer), ("silence", .silence),
            ]
        case .completeUpload:
            return [("200 with an error", .errorWithOK(code: "InternalError")), ("lost answer", .loseAnswer)] + common
        // An answer to it that is lost leaves an upload that nobody knows, without any bytes in it.
        case .createUpload, .head: return common
        default: return []
        }
    }
}
