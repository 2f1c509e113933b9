import CCurl

/// What the loop's thread does: takes commands, lets libcurl work, and watches the clock.
/// https://curl.se/libcurl/c/libcurl-multi.html
///
/// Lives on the loop's thread alone.
final class CurlDriver {
    private let loop: CurlLoop
    private let multi: UnsafeMutableRawPointer
    private let configuration: HTTPConfiguration
    private var transfers: [ObjectIdentifier: CurlTransfer] = [:]
    private var exchangesByEasy: [UnsafeMutableRawPointer: ObjectIdentifier] = [:]
    /// Those that wait until others to the same server are done, in order.
    private var waiting: [Exchange] = []
    private var running: [String: Int] = [:]

    init(loop: CurlLoop, multi: UnsafeMutableRawPointer, _ configuration: HTTPConfiguration) {
        self.loop = loop
        self.multi = multi
        self.configuration = configuration
    }

    /// Works until the loop is told to stop.
    func run() {
        var reason = CurlLoop.closed
        while true {
            let (commands, isStopping) = loop.take()
            for command in commands { perform(command) }
            if isStopping { break }
            var count: Int32 = 0
            let performed = curl_multi_perform(multi, &count)
            for transfer in transfers.values { transfer.flush() }
            finishDone()
            let pause = enforceLimits()
            // Ends early when a socket, a timer of libcurl's or a command calls.
            let polled = curl_multi_poll(multi, nil, 0, pause, nil)
            guard performed == CURLM_OK, polled == CURLM_OK else {
                let text = String(cString: curl_multi_strerror(performed == CURLM_OK ? polled : performed))
                reason = TransferError(.internal, "libcurl cannot go on: \(text)")
                break
            }
        }
        end(reason)
    }

    private func end(_ reason: TransferError) {
        for transfer in transfers.values {
            curl_multi_remove_handle(multi, transfer.easy)
            transfer.exchange.end(reason)
        }
        for exchange in waiting { exchange.end(reason) }
        transfers = [:]
        waiting = []
        // Nobody may wake a handle that is gone.
        loop.stopped()
        for case .start(let exchange) in loop.take().commands { exchange.end(reason) }
        curl_multi_cleanup(multi)
    }

    // MARK: Commands

    private func perform(_ command: CurlLoop.Command) {
        switch command {
        case .start(let exchange):
            waiting.append(exchange)
            startWaiting()
        case .resumeReceiving(let exchange): transfers[ObjectIdentifier(exchange)]?.resumeReceiving()
        case .resumeSending(let exchange): transfers[ObjectIdentifier(exchange)]?.resumeSending()
        case .remove(let exchange):
            waiting.removeAll { $0 === exchange }
            remove(ObjectIdentifier(exchange))
            startWaiting()
        case .look: break
        }
    }

    /// Starts what may run. Those behind one that must wait are looked at, too: they may go elsewhere.
    private func startWaiting() {
        waiting.removeAll { exchange in
            let origin = exchange.hop.url.origin
            guard running[origin, default: 0] < configuration.requestsPerHost else { return false }
            guard !exchange.isEnded else { return true }
            do throws(TransferError) {
                let transfer = try CurlTransfer(exchange, configuration: configuration)
                guard curl_multi_add_handle(multi, transfer.easy) == CURLM_OK else {
                    throw TransferError(.internal, "libcurl takes no more requests", mayHaveTakenEffect: false)
                }
                transfers[ObjectIdentifier(exchange)] = transfer
                exchangesByEasy[transfer.easy] = ObjectIdentifier(exchange)
                running[origin, default: 0] += 1
                loop.count { $0.attempts += 1 }
            } catch {
                exchange.end(error)
            }
            return true
        }
    }

    private func remove(_ id: ObjectIdentifier) {
        guard let transfer = transfers.removeValue(forKey: id) else { return }
        exchangesByEasy[transfer.easy] = nil
        let origin = transfer.exchange.hop.url.origin
        running[origin] = running[origin].flatMap { $0 > 1 ? $0 - 1 : nil }
        var connections = 0
        ccurl_get_long(transfer.easy, CURLINFO_NUM_CONNECTS, &connections)
        loop.count {
            $0.connections += connections
            $0.bytesReceived += transfer.bytesReceived
            $0.bytesSent += transfer.bytesSent
        }
        curl_multi_remove_handle(multi, transfer.easy)
    }

    // MARK: Results

    private func finishDone() {
        var code = CURLE_OK
        var isAnyDone = false
        while let easy = ccurl_multi_next_done(multi, &code) {
            guard let id = exchangesByEasy[easy], let transfer = transfers[id] else { continue }
            isAnyDone = true
            let failure = transfer.failure(code)
            remove(id)
            transfer.exchange.end(failure)
        }
        if isAnyDone { startWaiting() }
    }

    /// Ends what has taken too long.
    ///
    /// - Returns: milliseconds until it must be looked at again.
    private func enforceLimits() -> Int32 {
        let now = ContinuousClock.now
        var next: ContinuousClock.Instant?
        func note(_ moment: ContinuousClock.Instant) { next = min(next ?? moment, moment) }
        for (id, transfer) in transfers {
            if let deadline = transfer.exchange.currentDeadline {
                if deadline.moment <= now {
                    fail(id, transfer, TransferError(.timeout, deadline.message))
                    continue
                }
                note(deadline.moment)
            }
            switch transfer.patience(now: now) {
            case .none: break
            case .again(let moment): note(moment)
            case .until(let moment) where moment > now: note(moment)
            case .until:
                let limit = transfer.exchange.options.timeouts.stall ?? .zero
                fail(id, transfer, TransferError(.timeout, "nothing came or went for \(limit)"))
            }
        }
        waiting.removeAll { exchange in
            guard let deadline = exchange.currentDeadline else { return false }
            guard deadline.moment <= now else {
                note(deadline.moment)
                return false
            }
            exchange.end(TransferError(.timeout, deadline.message, mayHaveTakenEffect: false))
            return true
        }
        startWaiting()
        guard let next else { return 60_000 }
        // Rounded up: a wait that ends too early would be repeated at once.
        return Int32(min(max(0, (next - now) / .milliseconds(1)).rounded(.up), 60_000))
    }

    private func fail(_ id: ObjectIdentifier, _ transfer: CurlTransfer, _ error: TransferError) {
        remove(id)
        transfer.exchange.end(error)
    }
}
