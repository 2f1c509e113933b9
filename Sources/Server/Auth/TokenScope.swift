/// What the bearer of a token may do.
public enum TokenScope: String, Sendable, Hashable, Codable, CaseIterable {
    /// Enqueue, upload, cancel and retry; and look at single jobs, as who enqueues one wants to know what became of it.
    case produce
    /// Look at everything.
    case read
    /// Everything, with the limits of queues and the schedules.
    case admin
}

extension Set<TokenScope> {
    /// Whether somebody with these may do what one of `needed` may do.
    func allow(oneOf needed: Set<TokenScope>) -> Bool {
        needed.isEmpty || contains(.admin) || !isDisjoint(with: needed)
    }
}
