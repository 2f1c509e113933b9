public import CoreMetrics
import Locking
public import Logging
public import ServiceLifecycle

/// Holds spans back and sends them in batches: when a batch is full, and every few seconds.
///
/// Ending a span never waits and never fails. While the collector is away, spans wait up to a bound, and further ones
/// are dropped and counted. On a graceful shutdown, or when the task of ``run()`` is cancelled, what waits is sent
/// first, within a bound. In a `ServiceGroup` it stands first, so that it ends last.
///
/// It counts in `kiln_trace_spans_total`, by `outcome`: `exported`, `failed` (sent in vain), `dropped` (no room).
///
/// Thread-safe.
public final class BatchSpanProcessor: SpanProcessor, Service {
    /// The defaults are OpenTelemetry's, but for `shutdownLimit`.
    public struct Options: Sendable, Hashable {
        /// How many spans may wait. Default 2048.
        public var queueLimit: Int
        /// How many are sent at once. Default 512.
        public var batchSize: Int
        /// How long a span waits at most before it is sent. Default 5 s.
        public var interval: Duration
        /// How long the end may take, until what is left is given up. Default 5 s.
        public var shutdownLimit: Duration

        /// Numbers below 1 are taken as 1, an `interval` below 1 ms as that.
        public init(
            queueLimit: Int = 2048, batchSize: Int = 512, interval: Duration = .seconds(5),
            shutdownLimit: Duration = .seconds(5)
        ) {
            self.queueLimit = max(1, queueLimit)
            self.batchSize = max(1, batchSize)
            self.interval = max(.milliseconds(1), interval)
            self.shutdownLimit = shutdownLimit
        }
    }

    /// What became of the spans so far.
    public struct Statistics: Sendable, Hashable {
        public internal(set) var exported = 0
        /// Sent in vain, refused by the other side, or left at the end.
        public internal(set) var failed = 0
        /// Not taken: there was no room, or it was over.
        public internal(set) var dropped = 0
    }

    private struct State {
        var queue: SpanQueue
        var statistics = Statistics()
        var isOver = false
        /// Whether the last batch was lost, which is logged once.
        var isFailing = false
    }

    private let exporter: any SpanExporter
    private let options: Options
    private let logger: Logger
    private let state: Locked<State>
    private let exported, failed, dropped: Counter
    /// An element: there is something to send. Its end: the end.
    private let wakeups: AsyncStream<Void>
    private let wakeup: AsyncStream<Void>.Continuation
    private let stop: AsyncStream<Void>
    private let stopped: AsyncStream<Void>.Continuation

    /// - Parameter metrics: where it counts.
    public init(
        exporter: any SpanExporter, options: Options = Options(), metrics: any MetricsFactory = MetricsSystem.factory,
        logger: Logger = Logger(label: "kiln.tracing")
    ) {
        self.exporter = exporter
        self.options = options
        self.logger = logger
        state = Locked(State(queue: SpanQueue(limit: options.queueLimit, batchSize: options.batchSize)))
        func counter(_ outcome: String) -> Counter {
            Counter(label: "kiln_trace_spans_total", dimensions: [("outcome", outcome)], factory: metrics)
        }
        exported = counter("exported")
        failed = counter("failed")
        dropped = counter("dropped")
        (wakeups, wakeup) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        (stop, stopped) = AsyncStream.makeStream(of: Void.self)
    }

    /// What became of the spans so far.
    public var statistics: Statistics { state.withLock { $0.statistics } }

    // MARK: Spans in

    public func spanEnded(_ span: SpanData) {
        let admission = state.withLock { state -> SpanQueue.Admission in
            let admission = state.isOver ? .refused : state.queue.add(span)
            if admission == .refused { state.statistics.dropped += 1 }
            return admission
        }
        switch admission {
        case .kept: break
        case .completesBatch: wakeup.yield()
        case .refused: dropped.increment()
        }
    }

    public func flush() { wakeup.yield() }

    // MARK: Batches out

    /// Sends until it is shut down. Call it once.
    public func run() async {
        // On its own: what waits is to be sent even if the caller is cancelled.
        let work = Task.detached { await self.work() }
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await work.value
            } onGracefulShutdown: {
                self.shutDown()
            }
        } onCancel: {
            shutDown()
        }
    }

    /// Begins the end, as a graceful shutdown does; `run` returns when it is over.
    public func shutDown() {
        wakeup.finish()
        stopped.finish()
    }

    private func work() async {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                await self.send()
                return true
            }
            group.addTask {
                while (try? await Task.sleep(for: self.options.interval)) != nil { self.wakeup.yield() }
                return false
            }
            group.addTask {
                for await _ in self.stop {}
                try? await Task.sleep(for: self.options.shutdownLimit)
                return true
            }
            for await isOver in group where isOver { break }
            group.cancelAll()
        }
        let left = state.withLock { state in
            state.isOver = true
            let left = state.queue.clear()
            state.statistics.failed += left
            return left
        }
        guard left > 0 else { return }
        failed.increment(by: left)
        logger.warning("spans were left unsent at the end", metadata: ["spans": "\(left)"])
    }

    private func send() async {
        for await _ in wakeups { await sendWaiting() }
        await sendWaiting()
    }

    private func sendWaiting() async {
        while !Task.isCancelled, let batch = state.withLock({ $0.queue.next() }) { await send(batch) }
    }

    private func send(_ batch: [SpanData]) async {
        do {
            let refused = min(max(0, try await exporter.export(batch)), batch.count)
            count(exported: batch.count - refused, failed: refused)
            let hasFailed = state.withLock { state in
                defer { state.isFailing = false }
                return state.isFailing
            }
            if hasFailed { logger.info("spans are sent again") }
        } catch {
            count(exported: 0, failed: batch.count)
            let hasFailed = state.withLock { state in
                defer { state.isFailing = true }
                return state.isFailing
            }
            guard !hasFailed else { return }
            logger.warning(
                "spans cannot be sent, and are lost until they can",
                metadata: ["spans": "\(batch.count)", "error": "\(error)"])
        }
    }

    private func count(exported: Int, failed: Int) {
        state.withLock { state in
            state.statistics.exported += exported
            state.statistics.failed += failed
        }
        if exported > 0 { self.exported.increment(by: exported) }
        if failed > 0 { self.failed.increment(by: failed) }
    }
}
