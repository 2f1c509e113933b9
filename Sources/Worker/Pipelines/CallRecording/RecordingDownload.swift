import ByteIO
import FoundationEssentials
import JobQueue
import Providers
import Transfer

/// Takes a recording from Twilio to the object store, with a block of it in memory.
struct RecordingDownload: Sendable {
    /// What is in the store.
    struct Copy: Sendable {
        /// The store's own name for it: `s3://bucket/recordings/AC…/RE….wav`.
        var location: String
        var size: Int64
        var content: RecordingContent
    }

    enum Outcome: Sendable {
        case copied(Copy)
        /// Not there yet.
        case underWay
        /// It says that it is there, and is not.
        case late
        /// It never comes; why.
        case gone(String)
    }

    let services: JobServices
    let owner: QueueUploadLedger.Owner
    let address: RecordingAddress
    let accountSid: String
    let channels: Int?

    private var settings: WorkerConfiguration.Providers.Twilio { services.configuration.providers.twilio }

    /// - Throws: ``ProviderError`` `configuration` without a token that is good; `TransferError`.
    func run() async throws -> Outcome {
        for url in address.candidates(channels: channels) {
            do {
                return .copied(try await copy(url))
            } catch let error as TransferError {
                switch error.status {
                // Twilio has it, but not with its channels apart.
                case 400 where address.isTwilios && url.query != nil: continue
                case 404 where address.isTwilios: continue
                default: throw error
                }
            }
        }
        return try await whyMissing()
    }

    // MARK: Asking

    /// With the account's credentials, where these belong.
    private func request(_ url: HTTPURL) throws -> HTTPRequest {
        guard TwilioHosts(names: settings.hosts).contain(url) else { return HTTPRequest(.get, url) }
        guard let token = settings.authToken, !token.isEmpty else {
            throw ProviderError(
                .configuration, "there is no token to fetch recordings with", provider: "twilio",
                hint: "set TWILIO_AUTH_TOKEN at the worker")
        }
        // The client leaves them behind where a redirect leads to another host, and the guard looks at that one.
        var request = HTTPRequest(.get, url, destination: .trusted)
        let credentials = Data("\(accountSid):\(token)".utf8).base64EncodedString()
        request.headers["Authorization"] = "Basic \(credentials)"
        return request
    }

    private func explaining<R>(_ url: HTTPURL, _ body: () async throws -> R) async throws -> R {
        do { return try await body() } catch var error as TransferError where error.status == 401 {
            guard TwilioHosts(names: settings.hosts).contain(url) else {
                if address.isTwilios {
                    error.hint = "the token was not sent, as \(url.origin) is none of KILN_TWILIO_HOSTS by TLS"
                }
                throw error
            }
            // Elsewhere it is not our token that is refused.
            guard error.request?.host == url.authority else { throw error }
            throw ProviderError(
                .configuration, "the token was refused for the account \(accountSid)", provider: "twilio",
                hint: "TWILIO_AUTH_TOKEN is the auth token of that very account", status: 401, cause: error)
        }
    }

    /// Asks what has become of a recording that is not found.
    private func whyMissing() async throws -> Outcome {
        guard let url = address.metadata, TwilioHosts(names: settings.hosts).contain(url) else { return .underWay }
        let reply: HTTPReply
        do {
            reply = try await explaining(url) { try await services.client.send(try request(url), limit: 256 << 10) }
        } catch let error as TransferError where error.status == 404 {
            return .underWay
        }
        guard let metadata = try? JSONDecoder().decode(RecordingMetadata.self, from: Data(reply.body)) else {
            throw ProviderError(.badAnswer, "what it says of the recording is no JSON", provider: "twilio")
        }
        if metadata.isGone {
            let code = metadata.errorCode.map { " (error \($0))" } ?? ""
            return .gone("Twilio says that the recording is \(metadata.status ?? "gone")\(code)")
        }
        return metadata.isUnderWay || metadata.status == nil ? .underWay : .late
    }

    // MARK: Copying

    private func copy(_ url: HTTPURL) async throws -> Copy {
        let request = try request(url)
        return try await explaining(url) {
            try await services.client.withResponse(request) { response in try await copy(response, of: url) }
        }
    }

    private func copy(_ response: HTTPResponse, of url: HTTPURL) async throws -> Copy {
        let chunks = response.body.makeAsyncIterator()
        var block: [UInt8] = []
        while block.count < RecordingContent.headBytes, let chunk = try await chunks.next() { block += chunk }
        let head = Array(block.prefix(RecordingContent.headBytes))
        guard let content = RecordingContent(type: response.headers["Content-Type"], head: head) else {
            throw ProviderError(
                .badAnswer, "\(url) answers with something that is no sound in WAV or MP3", provider: "twilio",
                status: response.status)
        }
        let key = "recordings/\(accountSid)/\(address.sid).\(content.format.rawValue)"
        let (sink, store) = try await open(key, content, size: response.contentLength)
        return try await withTaskCancellationHandler {
            do {
                var size: Int64 = 0
                while true {
                    if block.count >= Self.blockBytes {
                        size += try await write(block, to: sink)
                        block = []
                    }
                    guard let chunk = try await chunks.next() else { break }
                    block += chunk
                }
                size += try await write(block, to: sink)
                try await Bounded.blocking { try sink.finish() }
                return Copy(location: JobResolver.url(of: key, in: store), size: size, content: content)
            } catch {
                try? await Bounded.blocking { sink.abort() }
                throw error
            }
        } onCancel: {
            sink.cancel()
        }
    }

    private static let blockBytes = 1 << 20

    private func write(_ block: [UInt8], to sink: any ByteSink) async throws -> Int64 {
        try await Bounded.blocking { try block.withUnsafeBytes { try sink.write($0) } }
        return Int64(block.count)
    }

    /// A sink under the attempt's fence. What an earlier run has put there is replaced: it is the same recording.
    private func open(
        _ key: String, _ content: RecordingContent, size: Int64?
    ) async throws -> (any ByteSink, any ObjectStore) {
        let place = ObjectLocation.store(key: key)
        guard let (store, key) = try services.stores.store(for: place) else {
            throw TransferError(.badURL, "there is no default store", hint: "set KILN_STORE", isRetryable: false)
        }
        let ledger = QueueUploadLedger(queue: services.queue, owner: owner)
        let options = ObjectOptions(
            contentType: content.mediaType, metadata: ["kiln-kind": CallRecording.name, "recording": address.sid])
        let sink = try await store.sink(
            key, options: options, upload: UploadOptions(expectedSize: size, ledger: ledger))
        guard !(sink is MultipartSink) else { return (sink, store) }
        return (FencedSink(sink) { try await ledger.authorize() }, store)
    }
}
