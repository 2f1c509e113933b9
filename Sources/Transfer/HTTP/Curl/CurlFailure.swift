import CCurl

extension TransferError {
    /// What a transfer that libcurl gave up failed of. https://curl.se/libcurl/c/libcurl-errors.html
    ///
    /// - Parameters:
    ///   - wasConnected: whether there was a connection to send the request on.
    ///   - detail: libcurl's own words; shown only where they tell more than the code and hold nothing of the request.
    static func curl(_ code: CURLcode, wasConnected: Bool, detail: String, timeouts: HTTPTimeouts) -> TransferError {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST:
            TransferError(
                .cannotResolve, "the host's name cannot be looked up", hint: "check its spelling and the name server",
                mayHaveTakenEffect: false)
        case CURLE_COULDNT_CONNECT:
            TransferError(
                .cannotConnect, "the server does not accept connections",
                hint: "check that it runs, and its port", mayHaveTakenEffect: false)
        case CURLE_OPERATION_TIMEDOUT:
            TransferError(
                .timeout, "no connection within \(timeouts.connect.map { "\($0)" } ?? "the limit")",
                mayHaveTakenEffect: wasConnected)
        case CURLE_SSL_CONNECT_ERROR where !wasConnected:
            TransferError(.cannotConnect, "TLS could not be agreed on: \(detail)", mayHaveTakenEffect: false)
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_ENGINE_NOTFOUND,
            CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CRL_BADFILE, CURLE_SSL_ISSUER_ERROR,
            CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_USE_SSL_FAILED:
            TransferError(
                .tls, "the server's certificate is not trusted: \(detail)",
                hint: "give its authority as certificateAuthorities, if it is a private one", mayHaveTakenEffect: false)
        case CURLE_PARTIAL_FILE:
            TransferError(.connectionLost, "the connection ended before the answer was complete")
        case CURLE_GOT_NOTHING:
            TransferError(.connectionLost, "the connection ended without an answer")
        case CURLE_SEND_ERROR, CURLE_SEND_FAIL_REWIND:
            TransferError(
                .connectionLost, "the connection ended while the request was sent", mayHaveTakenEffect: wasConnected)
        case CURLE_RECV_ERROR, CURLE_HTTP2, CURLE_HTTP2_STREAM, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_SHUTDOWN_FAILED:
            TransferError(.connectionLost, "the connection was lost", mayHaveTakenEffect: wasConnected)
        case CURLE_BAD_CONTENT_ENCODING:
            TransferError(.badResponse, "the answer's compression is broken")
        case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_WRITE_ERROR, CURLE_BAD_FUNCTION_ARGUMENT:
            TransferError(.badResponse, "the answer is not HTTP: \(detail)")
        case CURLE_URL_MALFORMAT:
            TransferError(.badURL, "this is no URL that can be fetched", mayHaveTakenEffect: false)
        default:
            TransferError(
                .internal, "libcurl failed: \(String(cString: curl_easy_strerror(code)))",
                mayHaveTakenEffect: wasConnected)
        }
    }
}
