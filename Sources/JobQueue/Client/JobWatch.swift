public import Foundation
import Locking
import Logging

/// Tells any number of tasks how jobs come along, at the cost of one query a second for all of them.
///
/// Ends are announced by the database to the client, on the one connection that listens for all of its waits; the rest,
/// such as progress, is asked for all watched jobs together. With many of them it asks less often, so that it never
/// keeps a connection busy for more than a fifth of the time.
///
/// ```swift
/// let watch = JobWatch(queue)
/// for try await glance in watch.glances(of: id) { show(glance.state, glance.fraction) }
/// ```
/// Thread-safe. While nobody watches it does nothing.
public final class JobWatch: Sendable {
    /// What somebody who watches is told.
    public typealias Glances = AsyncThrowingStream<JobGlance, any Error>

    private struct Subject {
        var last: JobGlance?
        var listeners: [Int: Glances.Continuation] = [:]
        let ticket: EndWatch.Ticket
        let news: Task<Void, Never>
    }

    private struct State {
        var subjects: [JobID: Subject] = [:]
        var count = 0
        /// To be looked at before the next round.
        var due: Set<JobID> = []
        var isRunning = false
    }

    private let client: QueueClient
    private let interval: Duration
    private let signal = AsyncSignal()
    private let state = Locked(State())

    /// - Parameter interval: the shortest time between two rounds. Default 1 s.
    public init(_ client: QueueClient, every interval: Duration = .seconds(1)) {
        self.client = client
        self.interval = interval
    }

    /// How many jobs are watched.
    public var count: Int { state.withLock { $0.subjects.count } }

    /// A job as it is now, and again whenever it has changed, until it is over. A reader who is slow misses what came
    /// in between, never the end.
    ///
    /// - Returns: a stream that throws `notFound` if there is no such job, and what the client's calls throw, but goes
    ///   on while the database is away.
    public func glances(of id: JobID) -> Glances {
        let (stream, continuation) = Glances.makeStream(bufferingPolicy: .bufferingNewest(16))
        let number = state.withLock { state in
            state.count += 1
            let number = state.count
            if let last = state.subjects[id]?.last {
                continuation.yield(last)
            } else {
                state.due.insert(id)
            }
            if state.subjects[id] == nil {
                let ticket = client.ends.enter(id)
                let news = Task { [weak self] in
                    while !Task.isCancelled {
                        await ticket.news(within: nil)
                        guard !Task.isCancelled else { return }
                        self?.lookSoon(id)
                    }
                }
                state.subjects[id] = Subject(ticket: ticket, news: news)
            }
            state.subjects[id]?.listeners[number] = continuation
            if !state.isRunning {
                state.isRunning = true
                Task { await self.run() }
            }
            return number
        }
        continuation.onTermination = { [weak self] _ in self?.leave(id, number) }
        signal.raise()
        return stream
    }

    private func lookSoon(_ id: JobID) {
        state.withLock { state in
            if state.subjects[id] != nil { state.due.insert(id) }
        }
        signal.raise()
    }

    private func leave(_ id: JobID, _ number: Int) {
        let subject = state.withLock { state -> Subject? in
            state.subjects[id]?.listeners[number] = nil
            guard state.subjects[id]?.listeners.isEmpty == true else { return nil }
            return state.subjects.removeValue(forKey: id)
        }
        if let subject { end(subject) }
    }

    private func end(_ subject: Subject) {
        subject.news.cancel()
        client.ends.leave(subject.ticket)
    }

    // MARK: Looking

    private func run() async {
        let clock = ContinuousClock()
        var round = clock.now
        while true {
            let isRound = clock.now >= round
            let ids = state.withLock { state -> [JobID]? in
                defer { state.due = [] }
                guard !state.subjects.isEmpty else {
                    state.isRunning = false
                    return nil
                }
                return isRound ? Array(state.subjects.keys) : Array(state.due.intersection(state.subjects.keys))
            }
            guard let ids else { return }
            let begin = clock.now
            for start in stride(from: 0, to: ids.count, by: 1000) {
                await look(at: Array(ids[start..<min(start + 1000, ids.count)]))
            }
            if isRound { round = clock.now + max(interval, begin.duration(to: clock.now) * 4) }
            await signal.wait(for: clock.now.duration(to: round))
        }
    }

    private func look(at ids: [JobID]) async {
        do {
            let found = try await client.glances(at: ids)
            for glance in found { tell(glance) }
            for id in Set(ids).subtracting(found.map(\.id)) { fail(id, QueueClient.unknown(job: id)) }
        } catch let error as QueueError where error.isTransient || error.code == .deadline {
            client.logger.debug("\(error); looking again at what is watched")
        } catch let error as QueueError where error.code == .permission && ids.count > 1 {
            // One that may not be looked at must not hide the others.
            for id in ids { await look(at: [id]) }
        } catch {
            for id in ids { fail(id, error) }
        }
    }

    private func tell(_ glance: JobGlance) {
        let over = state.withLock { state -> Subject? in
            guard let subject = state.subjects[glance.id] else { return nil }
            if subject.last != glance {
                state.subjects[glance.id]?.last = glance
                for listener in subject.listeners.values { listener.yield(glance) }
            }
            return glance.state.isFinished ? state.subjects.removeValue(forKey: glance.id) : nil
        }
        guard let over else { return }
        end(over)
        for listener in over.listeners.values { listener.finish() }
    }

    private func fail(_ id: JobID, _ error: any Error) {
        guard let subject = state.withLock({ $0.subjects.removeValue(forKey: id) }) else { return }
        end(subject)
        for listener in subject.listeners.values { listener.finish(throwing: error) }
    }
}
