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
        var request = request
        request.language = try Self.code(of: request.language)
        let session = Session(form: model.form, format: format)
        let recognition = SpeechRecognition(request, cutting: cutting(for: model.form), atATime: requests)
        let heard = try await recognition.run(media, progress: progress) { [request] chunk in
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

    private static func code(of language: String?) throws(ProviderError) -> String? {
        guard let language else { return nil }
        guard let code = SpeechLanguage.code(language) else {
            throw ProviderError(
                .badRequest, "\"\(language.prefix(40))\" is no language", provider: name,
                hint: "languages are ISO 639-1 codes, such as \"de\"")
        }
        return code
    }

    private func cutting(for form: OpenAISpeechModel.Form) -> SpeechCutting {
        form == .text ? .utterances : SpeechCutting(longest: min(longestChunk, format.longest))
    }

    private static let name = "openai"
    /// Characters of 224 tokens, about.
    private static let promptLength = 800

    // MARK: One chunk

    private func recognise(
        _ chunk: SpeechChunk, _ request: TranscriptionRequest, _ session: Session
    ) async throws -> SpeechRecognition.Heard {
        let (form, format) = (session.form, session.format)
        if form == .text, chunk.duration > SpeechCutting.utterances.longest + 1 {
            // It was cut for a server that knows times.
            return try await recognise(pieces(of: chunk, .utterances), request, session)
        }
        if chunk.duration > format.longest {
            // It was cut for a format that takes less.
            return try await recognise(
                pieces(of: chunk, SpeechCutting(longest: format.longest)), request, session)
        }
        switch try await ask(chunk, form, format, request, session) {
        case .heard(let answer):
            let (segments, loops) = answer.heard(in: chunk)
            for start in loops {
                logger.warning(
                    "a recogniser may have repeated itself",
                    metadata: ["engine": "\(engineName)", "second": "\(Int(start))"])
            }
            if requests == 1, !segments.isEmpty {
                // What a model is told to go on with, it repeats.
                let text = loops.isEmpty ? segments.suffix(20).map(\.text).joined(separator: " ") : ""
                session.setTail(String(text.suffix(Self.promptLength)), chunk.channel)
            }
            return SpeechRecognition.Heard(
                segments: segments, language: answer.language, audioSeconds: chunk.duration, requests: 1)
        case .refused(let objection, let error):
            if objection == .length, chunk.duration > 8 {
                logger.info(
                    "a chunk is too long for the service, and is sent in parts",
                    metadata: ["seconds": "\(Int(chunk.duration))", "engine": "\(engineName)"])
                let half = SpeechCutting(longest: chunk.duration * 0.6, overlap: min(2, chunk.duration / 16))
                return try await recognise(pieces(of: chunk, half), request, session)
            }
            if objection == .file, session.stepDown(from: format) {
                logger.info(
                    "the service cannot read \(format.rawValue), and is sent WAV; set KILN_SPEECH_FORMAT to wav",
                    metadata: ["engine": "\(engineName)"])
                return try await recognise(chunk, request, session)
            }
            if objection == .form, session.stepDown(from: form) {
                logger.info(
                    "the service does not know the form that was asked for, and is asked for less",
                    metadata: ["engine": "\(engineName)"])
                return try await recognise(chunk, request, session)
            }
            throw error
        }
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

    /// What became of a request.
    private enum Outcome {
        case heard(OpenAISpeechAnswer)
        /// Something else may be taken.
        case refused(Objection, ProviderError)
    }

    /// What is wrong with a request, where another one may be right.
    private enum Objection {
        /// Of the recording.
        case length
        /// The file's format.
        case file
        /// The form that was asked for.
        case form
    }

    private func ask(
        _ chunk: SpeechChunk, _ form: OpenAISpeechModel.Form, _ format: SpeechFileFormat,
        _ request: TranscriptionRequest, _ session: Session
    ) async throws -> Outcome {
        var prompt = request.prompt ?? ""
        if requests == 1, let tail = session.tail(chunk.channel), !tail.isEmpty {
            // Whisper looks at the last 224 tokens: the caller's words are not to be pushed out of them.
            let room = max(0, Self.promptLength - prompt.count)
            prompt += (prompt.isEmpty || room == 0 ? "" : " ") + tail.suffix(room)
        }
        if form == .speakers { prompt = "" }
        let file = try await SpeechFile(chunk, as: format)
        guard file.bytes.count <= SpeechFileFormat.largestFile else {
            let error = ProviderError(
                .tooLarge, "\(Int(chunk.duration)) s of it are too many bytes for one request", provider: Self.name)
            return .refused(.length, error)
        }
        let body = self.form(file, form, language: request.language, prompt: prompt)
        let service = JSONCall(
            provider: Self.name, client: client, headers: settings.headers, requestIDHeader: "x-request-id",
            keyHint: "check OPENAI_API_KEY", retries: retries, timeouts: timeouts)
        let reply: HTTPReply
        do {
            // To send it twice costs twice, and changes nothing.
            reply = try await service.send(
                .post, settings.baseURL.endpoint("audio/transcriptions"), .bytes(body.body),
                contentType: body.contentType, saying: prompt, repeats: .reading, limit: 32 << 20)
        } catch let error as ProviderError {
            return try Self.refusal(error)
        }
        do {
            return .heard(try OpenAISpeechAnswer(reply.body, contentType: reply.headers["Content-Type"]))
        } catch {
            // Older servers of whisper.cpp answer errors with 200.
            let complaint = ServiceComplaint(reply.body)
            let said = complaint.shown(besides: prompt, keys: settings.headers)
            let error = ProviderError(
                .badAnswer,
                said.map { "the service answered \(reply.status) with an error: \($0)" }
                    ?? "the answer is not what the protocol says", provider: Self.name,
                hint: said == nil ? "check OPENAI_BASE_URL" : nil, status: reply.status,
                requestID: service.requestID(reply.headers), isRetryable: true)
            guard said != nil, let objection = Self.objection(complaint) else { throw error }
            return .refused(objection, error)
        }
    }

    private func form(
        _ file: SpeechFile, _ form: OpenAISpeechModel.Form, language: String?, prompt: String
    ) -> MultipartForm {
        var body = MultipartForm()
        body.add("model", model.name)
        if let language { body.add("language", language) }
        if !prompt.isEmpty { body.add("prompt", prompt) }
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
        return body
    }

    /// What an error leaves to be tried.
    ///
    /// - Throws: the error, where that is nothing.
    private static func refusal(_ failure: ProviderError) throws(ProviderError) -> Outcome {
        var error = failure
        switch error.code {
        case .notFound: error.hint = "check the model's name and OPENAI_BASE_URL"
        case .throttled: error.hint = "lower KILN_SPEECH_REQUESTS if it happens often"
        default: break
        }
        guard let answer = error.cause as? TransferError, let status = error.status, (400...500).contains(status),
            ![.quota, .configuration, .notFound, .throttled].contains(error.code)
        else { throw error }
        let complaint = ServiceComplaint(answer.body)
        let objection: Objection? =
            switch status {
            case 413: .length
            case 415: .file
            default: Self.objection(complaint)
            }
        guard let objection else { throw error }
        if objection == .length, status != 500 {
            error.code = .tooLarge
            error.isRetryable = false
        }
        return .refused(objection, error)
    }

    private static func objection(_ complaint: ServiceComplaint) -> Objection? {
        if complaint.isAboutLength { return .length }
        if complaint.isAboutFile { return .file }
        return complaint.isAboutForm ? .form : nil
    }
}
