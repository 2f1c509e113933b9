/// One step of a request: what is sent to one server. A redirect makes another of it.
struct Hop: Sendable {
    var method: HTTPMethod
    var url: HTTPURL
    var headers: HTTPHeaders
    var body: HTTPBody

    init(_ request: HTTPRequest) {
        method = request.method
        url = request.url
        headers = request.headers
        body = request.body
        if let userInfo = url.userInfo, headers["Authorization"] == nil {
            let text = "\(userInfo.user):\(userInfo.password)"
            headers["Authorization"] = "Basic " + Base64.encoded(Array(text.utf8))
        }
    }

    /// What may go along to another server: nothing that could be a credential, whatever it is called.
    private static let portable: Set<String> = [
        "accept", "accept-encoding", "accept-language", "cache-control", "content-encoding", "content-language",
        "content-type", "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "range",
        "user-agent",
    ]

    static func isRedirect(_ status: Int) -> Bool { [301, 302, 303, 307, 308].contains(status) }

    /// Where an answer leads, by its status and `Location`. RFC 9110, §15.4.
    ///
    /// - Throws: ``TransferError`` with code `badRedirect`.
    func redirected(_ status: Int, to location: String?) throws(TransferError) -> Hop {
        guard let location else { throw Self.failure("the answer redirects to nowhere: it has no Location") }
        var next = self
        do { next.url = try url.resolving(location).withoutUserInfo } catch {
            throw Self.failure("the answer redirects to what is no http or https URL")
        }
        guard url.scheme == .http || next.url.scheme == .https else {
            throw Self.failure("the answer redirects from https to http")
        }
        if status == 303 && method != .head || (status == 301 || status == 302) && method == .post {
            next.method = .get
            next.body = .empty
            for field in headers.fields where field.name.lowercased().hasPrefix("content-") {
                next.headers.remove(field.name)
            }
        }
        if next.url.origin != url.origin {
            next.headers = HTTPHeaders(next.headers.fields.filter { Self.portable.contains($0.name.lowercased()) })
        }
        guard next.body.isReplayable else {
            throw Self.failure("the answer redirects, and the request's body cannot be sent again")
        }
        return next
    }

    private static func failure(_ message: String) -> TransferError {
        TransferError(.badRedirect, message, isRetryable: false)
    }
}

extension HTTPURL {
    fileprivate var withoutUserInfo: HTTPURL {
        get throws(TransferError) {
            userInfo == nil
                ? self : try HTTPURL(scheme: scheme, host: host, port: port, path: path, query: query, userInfo: nil)
        }
    }
}
