import Locking
public import Logging
public import MediaKit
public import Transfer

/// Recognises speech by OpenAI, or a server that speaks as it does: Groq, speaches, whisper.cpp.
///
/// A recording is read once and sent in chunks, several at a time. Whisper models give words with times. The models
/// whose names begin with "gpt-" give text alone: they are sent one utterance at a time, and an utterance is what has a
/// time then. Those that end in "-diarize" tell speakers apart, and give no words. A model with another name is asked
/// as a Whisper is; a server that refuses that is asked for less.
///
/// ```swift
/// let settings = OpenAISettings(key: key, baseURL: try HTTPURL("https://api.openai.com/v1"))
/// let heard = try await OpenAITranscriber(settings: settings, model: "whisper-1", client: client)
///     .transcribe(TranscriptionRequest(input: "talk.mp4"), media: MediaEngine(), progress: nil)
/// ```
public struct OpenAITranscriber: Transcriber {
    public let engineName: String
    public let quality = Transcript.Quality.standard

    private let settings: OpenAISettings
    private let model: OpenAISpeechModel
    private let client: HTTPClient
    private let requests: Int
    private let pricePerMinute: Double?
    private let format: SpeechFileFormat
    private let longestChunk: Double
    private let retries: HTTPRetryPolicy
    private let timeouts: HTTPTimeouts
    private let logger: Logger

    /// The numbers of OpenAI's own libraries: two more attempts. Longer waits than 10 s are the queue's.
    public static let usualRetries = HTTPRetryPolicy(
        maxAttempts: 3, base: .milliseconds(500), cap: .seconds(8), longestRetryAfter: .seconds(10))
    /// Nothing is heard of a request before it is answered.
    public static let usualTimeouts = HTTPTimeouts(connect: .seconds(10), stall: .seconds(300), whole: .seconds(900))

    /// - Parameters:
    ///   - requests: at a time, for one recording. With 1 each has the end of the text before as its prompt, too.
    ///   - pricePerMinute: US dollars; `nil` for the list price where the model has one that is known.
    ///   - format: of the files that are sent. `wav` for servers that decode nothing else, such as whisper.cpp's.
    ///   - longestChunk: seconds of a chunk at most; less where the format needs it for 24 MiB.
    public init(
        settings: OpenAISettings, model: String = "whisper-1", client: HTTPClient, requests: Int = 4,
        pricePerMinute: Double? = nil, format: SpeechFileFormat = .opus, longestChunk: Double = 600,
        retries: HTTPRetryPolicy = usualRetries, timeouts: HTTPTimeouts = usualTimeouts,
        logger: Logger = Logger(label: "kiln.speech")
    ) {
        self.settings = settings
        self.model = OpenAISpeechModel(name: model)
        engineName = "openai:\(model)"
        self.client = client
        self.requests = max(1, requests)
        self.pricePerMinute = pricePerMinute ?? self.model.listPrice
        self.format = format
        self.longestChunk = longestChunk
        self.retries = retries
        self.timeouts = timeouts
        self.logger = logger
    }

    public func transcribe(
        _ request: TranscriptionRequest, media: MediaEngine, progress: (@Sendable (Double) -> Void)?
    ) async throws -> Transcription {
        let session = Session(form: model.form, language: request.language)
        let recognition = SpeechRecognition(request, cutting: cutting(for: model.form), atATime: requests)
        let heard = try await recognition.run(media, progress: progress) { chunk in
            try await recognise(chunk, request, session)
        }
        let transcript = Transcript(
            engine: engineName, quality: quality, language: heard.language ?? request.language,
            duration: heard.duration, segments: heard.segments)
        let usage = TranscriptionUsage(
            audioSeconds: heard.audioSeconds, requests: heard.requests,
            cost: pricePerMinute.map { $0 * heard.audioSeconds / 60 }, bytesRead: heard.bytesRead)
        return Transcription(transcript: transcript, usage: usage)
    }

    private func cutting(for form: OpenAISpeechModel.Form) -> SpeechCutting {
        form == .text ? .utterances : SpeechCutting(longest: min(longestChunk, format.longest))
    }

    /// Characters of 224 tokens, about.
    private static let promptLength = 800

    // MARK: One chunk

    /// What the chunks of one recording learn of the server.
    private final class Session: Sendable {
        private struct State {
            var form: OpenAISpeechModel.Form
            /// The end of what was said, by channel.
            var tails: [Int: String] = [:]
        }
        let language: String?
        private let state: Locked<State>

        init(form: OpenAISpeechModel.Form, language: String?) {
            self.language = language
            state = Locked(State(form: form))
        }

        var form: OpenAISpeechModel.Form { state.withLock { $0.form } }

        /// Asks for less from now on. Returns whether there is less to ask for.
        func stepDown(from form: OpenAISpeechModel.Form) -> Bool {
            state.withLock { state in
                if state.form < form { return true }
                switch form {
                case .words: state.form = .segments
                case .segments, .speakers: state.form = .text
                case .text: return false
                }
                return true
            }
        }

        func tail(_ channel: Int?) -> String? { state.withLock { $0.tails[channel ?? -1] } }
        func setTail(_ text: String, _ channel: Int?) { state.withLock { $0.tails[channel ?? -1] = text } }
    }

    private func recognise(
        _ chunk: SpeechChunk, _ request: TranscriptionRequest, _ session: Session
    ) async throws -> SpeechRecognition.Heard {
        let form = session.form
        if form == .text, chunk.duration > SpeechCutting.utterances.longest + 1 {
            // It was cut for a server that knows times.
            return try await recognise(pieces(of: chunk, .utterances), request, session)
        }
        do {
            let answer = try await ask(chunk, form, request, session)
            let (segments, loops) = answer.heard(in: chunk)
            for start in loops {
                logger.warning(
                    "a recogniser may have repeated itself",
                    metadata: ["engine": "\(engineName)", "second": "\(Int(start))"])
            }
            if requests == 1, !segments.isEmpty {
                let text = segments.suffix(20).map(\.text).joined(separator: " ")
                session.setTail(String(text.suffix(Self.promptLength)), chunk.channel)
            }
            return SpeechRecognition.Heard(
                segments: segments, language: answer.language, audioSeconds: chunk.duration, requests: 1)
        } catch let error as ProviderError where error.code == .tooLarge && chunk.duration > 8 {
            logger.info(
                "a chunk is too long for the service, and is sent in parts",
                metadata: ["seconds": "\(Int(chunk.duration))", "engine": "\(engineName)"])
            let half = SpeechCutting(longest: chunk.duration * 0.6, overlap: min(2, chunk.duration / 16))
            return try await recognise(pieces(of: chunk, half), request, session)
        } catch let error as ProviderError where isAboutForm(error) && session.stepDown(from: form) {
            logger.info(
                "the service does not know the form that was asked for, and is asked for less",
                metadata: ["engine": "\(engineName)"])
            return try await recognise(chunk, request, session)
        }
    }

    private func isAboutForm(_ error: ProviderError) -> Bool {
        guard let cause = error.cause as? TransferError, let status = cause.status, (400..<501).contains(status)
        else { return false }
        return OpenAISpeechFailure(cause.body).isAboutForm
    }

    private func recognise(
        _ pieces: [SpeechChunk], _ request: TranscriptionRequest, _ session: Session
    ) async throws -> SpeechRecognition.Heard {
        var merged: [TranscriptMerger.Piece] = []
        var whole = SpeechRecognition.Heard(segments: [], audioSeconds: 0)
        for piece in pieces {
            let heard = try await recognise(piece, request, session)
            merged.append(TranscriptMerger.Piece(covers: piece.covers, segments: heard.segments))
            whole.language = whole.language ?? heard.language
            whole.audioSeconds += heard.audioSeconds
            whole.requests += heard.requests
        }
        whole.segments = TranscriptMerger.merge(merged)
        return whole
    }

    private func pieces(of chunk: SpeechChunk, _ cutting: SpeechCutting) -> [SpeechChunk] {
        var chunker = SpeechChunker(cutting, channel: chunk.channel, sampleRate: chunk.sampleRate)
        return chunker.append(chunk.samples, start: chunk.firstSample) + chunker.finish()
    }

    // MARK: One request

    private func ask(
        _ chunk: SpeechChunk, _ form: OpenAISpeechModel.Form, _ request: TranscriptionRequest, _ session: Session
    ) async throws -> OpenAISpeechAnswer {
        let file = try await SpeechFile(chunk, as: format)
        var body = MultipartForm()
        body.add("model", model.name)
        if let language = request.language.flatMap(SpeechLanguage.code) { body.add("language", language) }
        var prompt = request.prompt ?? ""
        if requests == 1, let tail = session.tail(chunk.channel) {
            // Whisper looks at the last 224 tokens: the caller's words are not to be pushed out of them.
            let room = max(0, Self.promptLength - prompt.count)
            prompt += (prompt.isEmpty || room == 0 ? "" : " ") + tail.suffix(room)
        }
        if form != .speakers, !prompt.isEmpty { body.add("prompt", prompt) }
        switch form {
        case .text: body.add("response_format", "json")
        case .segments: body.add("response_format", "verbose_json")
        case .words:
            body.add("response_format", "verbose_json")
            body.add("timestamp_granularities[]", "word")
            body.add("timestamp_granularities[]", "segment")
        case .speakers:
            body.add("response_format", "diarized_json")
            body.add("chunking_strategy", "auto")
        }
        body.add(
            "file", fileName: "speech.\(file.format.ending)", contentType: file.format.contentType, file.bytes)
        body.finish()

        var url = settings.baseURL
        while url.path.hasSuffix("/") { url.path.removeLast() }
        url.path += "/audio/transcriptions"
        var headers = settings.headers
        headers["Content-Type"] = body.contentType
        headers["Accept"] = "application/json"
        // To send it twice costs twice, and changes nothing.
        var call = HTTPRequest(
            .post, url, headers: headers, body: .bytes(body.body), destination: .trusted, redirects: .none,
            timeouts: timeouts, retries: retries, isIdempotent: true)
        call.classify = { OpenAISpeechFailure.classify(&$0) }
        let reply: HTTPReply
        do {
            reply = try await client.send(call, limit: 32 << 20)
        } catch let error as TransferError {
            throw OpenAISpeechFailure.error(error, secret: settings.key)
        }
        guard reply.status < 300 else {
            throw ProviderError(
                .configuration, "the service answered \(reply.status), a redirect", provider: "openai",
                hint: "set OPENAI_BASE_URL to where it leads", status: reply.status)
        }
        do {
            return try OpenAISpeechAnswer(reply.body, contentType: reply.headers["Content-Type"])
        } catch {
            throw ProviderError(
                .badAnswer, "the answer is not what the protocol says", provider: "openai", status: reply.status,
                requestID: reply.headers["x-request-id"].flatMap(OpenAISpeechFailure.requestID), isRetryable: true)
        }
    }
}
