import Foundation
import Testing

/// The service whole: workers in processes of their own between a database and a store, one test after another, as each
/// wants all the cores.
@Suite(.serialized) enum Proof {
    /// Whether there is time for what takes minutes.
    static let isEndurance = ProcessInfo.processInfo.environment["KILN_ENDURANCE"] != nil
}
