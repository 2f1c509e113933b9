/// Somebody who does the jobs.
enum WorkerContestant: Sendable {
    case kiln
    /// A worker in Python that takes jobs from a table and starts this ffmpeg for each.
    case usual(Peer)
    /// The same without a queue: a list is gone through.
    case spawning(Peer)

    var name: String {
        switch self {
        case .kiln: "kiln worker"
        case .usual(let peer): "queue + \(peer.name)"
        case .spawning(let peer): "\(peer.name), no queue"
        }
    }

    /// What it takes its jobs from; `nil` for a list.
    func table(_ work: WorkerWork) -> JobTable? {
        switch self {
        case .kiln: .kiln(work)
        case .usual: .usual(work)
        case .spawning: nil
        }
    }
}
