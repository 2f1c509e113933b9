import Foundation
import Testing

/// Media through stores, one test after another: each has threads, servers and processes of its own that want the cores.
@Suite(.serialized) enum Streaming {
    /// Whether nothing else runs in this process, so that its threads and descriptors can be counted.
    static let isAlone = ProcessInfo.processInfo.environment["KILN_ENDURANCE"] != nil

    /// How many times larger than usual the long tests are: `scripts/transfer-soak`.
    static let isSoak = ProcessInfo.processInfo.environment["KILN_SOAK"] != nil
}
