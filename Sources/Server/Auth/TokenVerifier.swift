import Foundation
import JobQueue
import Locking
import Logging

/// Tells whose token a request bears. What the database said is believed for some seconds, so that not every request
/// asks it. Thread-safe.
final class TokenVerifier: Sendable {
    private struct Entry {
        var info: TokenStore.TokenInfo
        var hash: String
        var until: ContinuousClock.Instant
        var notedUse: ContinuousClock.Instant
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var hasAny: (value: Bool, until: ContinuousClock.Instant)?
    }

    /// How long what the database said is believed, and so the time that a revoked token is still good.
    static let freshness = Duration.seconds(5)

    private let store: TokenStore
    private let now: @Sendable () -> Date
    private let logger: Logger
    private let state = Locked(State())

    init(_ store: TokenStore, now: @escaping @Sendable () -> Date, logger: Logger) {
        self.store = store
        self.now = now
        self.logger = logger
    }

    /// The token that a text is; nil if there is none, or it has ended.
    func verify(_ text: String) async throws -> TokenStore.TokenInfo? {
        guard let token = APIToken(text), let entry = try await entry(token.id), token.matches(hash: entry.hash),
            entry.info.isLive(at: now())
        else { return nil }
        await noteUse(entry)
        return entry.info
    }

    /// Whether a text is a token that has been seen here before, good or not.
    func remembers(_ text: String) -> Bool {
        guard let token = APIToken(text), let entry = state.withLock({ $0.entries[token.id] }) else { return false }
        return token.matches(hash: entry.hash)
    }

    /// Whether there is a token at all, good or not.
    func hasAny() async throws -> Bool {
        let known = state.withLock { $0.hasAny }
        if let known, ContinuousClock.now < known.until { return known.value }
        let value = try await store.hasAny()
        state.withLock { $0.hasAny = (value, .now + Self.freshness) }
        return value
    }

    private func entry(_ id: String) async throws -> Entry? {
        let known = state.withLock { $0.entries[id] }
        if let known, ContinuousClock.now < known.until { return known }
        guard let found = try await store.find(id) else {
            state.withLock { $0.entries[id] = nil }
            return nil
        }
        let entry = Entry(
            info: found.info, hash: found.hash, until: .now + Self.freshness,
            notedUse: known?.notedUse ?? .now - .seconds(3600))
        // Only ids that are in the database come here: there are not many.
        state.withLock { $0.entries[id] = entry }
        return entry
    }

    private func noteUse(_ entry: Entry) async {
        let isDue = state.withLock { state in
            guard let known = state.entries[entry.info.id], known.notedUse + .seconds(60) < .now else { return false }
            state.entries[entry.info.id]?.notedUse = .now
            return true
        }
        guard isDue else { return }
        do {
            try await store.noteUse(of: entry.info.id)
        } catch {
            logger.debug("the use of a token was not noted: \(error)")
        }
    }
}
