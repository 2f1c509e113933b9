import CCurl

/// A transfer of libcurl's: the one owner of an easy handle, and what its callbacks work on.
///
/// Lives on the loop's thread alone.
final class CurlTransfer {
    let easy: UnsafeMutableRawPointer
    let exchange: Exchange
    /// When bytes last came or went, or the transfer was told to go on.
    private var lastProgress = ContinuousClock.now
    private(set) var bytesReceived: Int64 = 0
    private(set) var bytesSent: Int64 = 0
    private let addressGuard: AddressGuard?
    /// Given to libcurl, and freed with it.
    var headerList: UnsafeMutablePointer<curl_slist>?
    let errorText: UnsafeMutablePointer<CChar>
    /// Why the guard did not let it go where it wanted.
    private var refusal: TransferError?
    private var isConnected = false
    private var isReceivingPaused = false
    private var isSendingPaused = false
    /// How much of a body in memory is sent.
    private var offset = 0
    private var head = HeadParser()
    private var isHeadDelivered = false
    /// Whether something arrived that its reader has not been told of.
    private var needsFlush = false

    /// - Throws: ``TransferError`` with code `badRequest` or `internal`.
    init(_ exchange: Exchange, configuration: HTTPConfiguration) throws(TransferError) {
        guard let easy = curl_easy_init() else { throw TransferError(.internal, "libcurl has no memory left") }
        self.easy = easy
        self.exchange = exchange
        addressGuard = exchange.options.destination == .guarded ? configuration.addressGuard : nil
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        // From here on `deinit` frees what there is.
        try set(configuration)
        try setRequest(configuration)
        setCallbacks()
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(headerList)
        errorText.deallocate()
    }

    // MARK: Callbacks

    private func setCallbacks() {
        let context = Unmanaged.passUnretained(self).toOpaque()
        for option in [
            CURLOPT_WRITEDATA, CURLOPT_HEADERDATA, CURLOPT_READDATA, CURLOPT_SEEKDATA, CURLOPT_OPENSOCKETDATA,
            CURLOPT_PREREQDATA,
        ] { ccurl_set_pointer(easy, option, context) }
        ccurl_set_data_callback(easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            CurlTransfer.of(context).receiveHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        ccurl_set_data_callback(easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            CurlTransfer.of(context).receive(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        ccurl_set_data_callback(easy, CURLOPT_READFUNCTION) { bytes, size, count, context in
            CurlTransfer.of(context).send(UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
        }
        ccurl_set_seek_callback(easy) { context, offset, origin in
            CurlTransfer.of(context).seek(to: offset, origin)
        }
        ccurl_set_open_socket_callback(easy) { context, _, address in
            guard let address else { return ccurl_bad_socket() }
            return CurlTransfer.of(context).openSocket(address)
        }
        ccurl_set_pre_request_callback(easy) { context, address, _, _, _ in
            CurlTransfer.of(context).beginRequest(address.map { String(cString: $0) })
        }
    }

    private static func of(_ context: UnsafeMutableRawPointer?) -> CurlTransfer {
        guard let context else { preconditionFailure("libcurl calls back without the context it was given") }
        return Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
    }

    private func receiveHeader(_ bytes: UnsafeRawBufferPointer) -> Int {
        lastProgress = .now
        // Trailers are of no interest.
        guard !isHeadDelivered else { return bytes.count }
        switch head.take(bytes) {
        case .more: return bytes.count
        case .malformed: return 0
        case .head(let head):
            // 100, 103: the answer itself is still to come.
            guard head.status >= 200 else { return bytes.count }
            isHeadDelivered = true
            exchange.receive(head)
            return bytes.count
        }
    }

    private func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
        lastProgress = .now
        switch exchange.receive(bytes) {
        case .taken:
            needsFlush = true
            bytesReceived += Int64(bytes.count)
            return bytes.count
        case .full:
            isReceivingPaused = true
            return ccurl_write_pause()
        case .unwanted: return 0
        }
    }

    private func send(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        lastProgress = .now
        var count = 0
        switch exchange.hop.body.content {
        case .empty: break
        case .bytes(let bytes):
            count = min(buffer.count, bytes.count - offset)
            bytes.withUnsafeBytes {
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + count]))
            }
            offset += count
        case .stream:
            switch exchange.upload?.supply(buffer) {
            case .bytes(let supplied): count = supplied
            case .starved:
                isSendingPaused = true
                return ccurl_read_pause()
            case .end: break
            case .failed, nil: return ccurl_read_abort()
            }
        }
        bytesSent += Int64(count)
        return count
    }

    /// libcurl goes back to the start where a connection that was open already turns out to be dead.
    private func seek(to position: curl_off_t, _ origin: Int32) -> Int32 {
        guard case .bytes(let bytes) = exchange.hop.body.content, origin == SEEK_SET, position >= 0,
            position <= bytes.count
        else { return CURL_SEEKFUNC_CANTSEEK }
        offset = Int(position)
        return CURL_SEEKFUNC_OK
    }

    private func openSocket(_ address: UnsafeMutablePointer<curl_sockaddr>) -> curl_socket_t {
        let allowed = withUnsafePointer(to: &address.pointee.addr) {
            isAllowed(IPAddress(UnsafeRawPointer($0), length: Int(address.pointee.addrlen)))
        }
        guard allowed else { return ccurl_bad_socket() }
        return socket(
            address.pointee.family, address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue), address.pointee.protocol)
    }

    /// A connection that was open already has not been looked at for this request: it may have been opened by one that
    /// could go anywhere.
    private func beginRequest(_ address: String?) -> Int32 {
        guard isAllowed(address.flatMap { IPAddress($0) }) else { return CURL_PREREQFUNC_ABORT }
        if isConnected { exchange.options.onRepeat?() }
        isConnected = true
        lastProgress = .now
        return CURL_PREREQFUNC_OK
    }

    private func isAllowed(_ address: IPAddress?) -> Bool {
        guard let addressGuard else { return true }
        guard let address else {
            refusal = TransferError(.forbiddenAddress, "this URL leads to no address of the Internet")
            return false
        }
        guard let objection = addressGuard.objection(to: address, of: exchange.hop.url.host) else { return true }
        refusal = objection
        return false
    }

    // MARK: For the loop

    /// Tells the reader what has arrived.
    func flush() {
        guard needsFlush else { return }
        needsFlush = false
        if exchange.flush() { resumeReceiving() }
    }

    func resumeReceiving() {
        guard isReceivingPaused else { return }
        isReceivingPaused = false
        goOn()
    }

    func resumeSending() {
        guard isSendingPaused else { return }
        isSendingPaused = false
        goOn()
    }

    private func goOn() {
        lastProgress = .now
        // May call back at once, and be paused again by that.
        curl_easy_pause(easy, (isReceivingPaused ? CURLPAUSE_RECV : 0) | (isSendingPaused ? CURLPAUSE_SEND : 0))
    }

    /// The moment at which it has stalled unless something happens before, or at which it is to be looked at again.
    enum Patience {
        case none
        case until(ContinuousClock.Instant)
        case again(ContinuousClock.Instant)
    }

    /// The clock stands still while the connection is still being made, which has a limit of its own, and while the
    /// caller is what it waits for.
    func patience(now: ContinuousClock.Instant) -> Patience {
        guard let limit = exchange.options.timeouts.stall, isConnected, !isReceivingPaused, !isSendingPaused else {
            return .none
        }
        // A reader who comes does not call; it is seen a moment later.
        guard let since = exchange.awaitedSince else { return .again(now + min(limit, .seconds(1))) }
        return .until(max(lastProgress, since) + limit)
    }

    /// What libcurl's result means.
    func failure(_ code: CURLcode) -> TransferError? {
        if code == CURLE_OK {
            return isHeadDelivered ? nil : TransferError(.badResponse, "the answer has no status")
        }
        if let refusal { return refusal }
        return .curl(
            code, wasConnected: isConnected, detail: detail(code), timeouts: exchange.options.timeouts)
    }

    private func detail(_ code: CURLcode) -> String {
        let text = errorText.pointee == 0 ? "" : String(cString: errorText)
        return text.isEmpty ? String(cString: curl_easy_strerror(code)) : text
    }
}
