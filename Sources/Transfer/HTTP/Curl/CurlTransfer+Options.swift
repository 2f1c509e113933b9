import CCurl

extension CurlTransfer {
    /// What all requests have in common.
    func set(_ configuration: HTTPConfiguration) throws(TransferError) {
        try check(ccurl_set_http_only(easy))
        ccurl_do_not_wait_for_lookups(easy)
        ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText)
        try set(CURLOPT_NOSIGNAL, 1)
        // Whatever the environment says: through a proxy the guard would see the proxy's address.
        try set(CURLOPT_PROXY, "")
        try set(CURLOPT_TCP_KEEPALIVE, 1)
        try set(CURLOPT_BUFFERSIZE, 128 << 10)
        try set(CURLOPT_UPLOAD_BUFFERSIZE, 256 << 10)
        try set(CURLOPT_SSLVERSION, ccurl_tls_1_2)
        try set(CURLOPT_HTTP_VERSION, configuration.allowsHTTP2 ? ccurl_http_2_over_tls : ccurl_http_1_1)
        // 0 would be libcurl's own limit of 300 s.
        let connect = exchange.options.timeouts.connect.map { max(1, $0 / .milliseconds(1)) } ?? Double(Int32.max)
        try set(CURLOPT_CONNECTTIMEOUT_MS, Int(min(connect.rounded(.up), Double(Int32.max))))
        if let path = configuration.certificateAuthorities { try set(CURLOPT_CAINFO, path) }
    }

    func setRequest(_ configuration: HTTPConfiguration) throws(TransferError) {
        let hop = exchange.hop
        guard hop.method.isValid else {
            throw TransferError(.badRequest, "the request's method is not one", mayHaveTakenEffect: false)
        }
        try hop.headers.validate()
        try set(CURLOPT_URL, hop.url.text)
        // Keys may hold dots and slashes; and they are signed as they are.
        try set(CURLOPT_PATH_AS_IS, 1)
        switch hop.body.content {
        case .empty where hop.method == .head: try set(CURLOPT_NOBODY, 1)
        case .empty where hop.method == .get: try set(CURLOPT_HTTPGET, 1)
        case .empty where hop.method == .put || hop.method == .post || hop.method == .patch:
            // Servers want to be told that there is no body.
            try setUpload(length: 0)
        case .empty: try set(CURLOPT_HTTPGET, 1)
        case .bytes(let bytes): try setUpload(length: Int64(bytes.count))
        case .stream(let length, _, _): try setUpload(length: length)
        }
        // By itself libcurl sends again whatever was sent on a connection that was open already and ends without a word.
        if !exchange.options.isIdempotent { try set(CURLOPT_FRESH_CONNECT, 1) }
        if hop.method != .head { try set(CURLOPT_CUSTOMREQUEST, hop.method.rawValue) }
        if exchange.options.acceptsCompression { try set(CURLOPT_ACCEPT_ENCODING, "gzip") }
        // libcurl would wait up to a second for "100 Continue", which R2 never sends.
        try append("Expect:")
        for field in hop.headers.fields where !Self.isOurs(field.name) {
            // "Name;" is how libcurl sends a field without a value.
            try append(field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)")
        }
        ccurl_set_pointer(easy, CURLOPT_HTTPHEADER, headerList)
        if hop.headers["User-Agent"] == nil { try set(CURLOPT_USERAGENT, configuration.userAgent) }
    }

    private func setUpload(length: Int64?) throws(TransferError) {
        try set(CURLOPT_UPLOAD, 1)
        try check(ccurl_set_offset(easy, CURLOPT_INFILESIZE_LARGE, curl_off_t(length ?? -1)))
    }

    /// Fields that follow from the request's other parts.
    private static func isOurs(_ name: String) -> Bool {
        ["host", "content-length", "transfer-encoding", "connection", "expect"].contains(name.lowercased())
    }

    private func append(_ line: String) throws(TransferError) {
        guard let list = curl_slist_append(headerList, line) else {
            throw TransferError(.internal, "libcurl has no memory left")
        }
        headerList = list
    }

    private func set(_ option: CURLoption, _ value: Int) throws(TransferError) {
        try check(ccurl_set_long(easy, option, value))
    }

    private func set(_ option: CURLoption, _ value: String) throws(TransferError) {
        try check(ccurl_set_string(easy, option, value))
    }

    private func check(_ code: CURLcode) throws(TransferError) {
        guard code == CURLE_OK else {
            throw TransferError(
                .internal, "libcurl does not take an option: \(String(cString: curl_easy_strerror(code)))",
                hint: "use libcurl 7.80 or newer", mayHaveTakenEffect: false)
        }
    }
}
