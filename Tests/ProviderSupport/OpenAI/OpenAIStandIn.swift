import ByteIO
import Foundation
import Locking
package import MediaKit
import Providers
package import Transfer
import TransferTestSupport

/// A server that speaks OpenAI's `/audio/transcriptions`, strict about what it takes, and misbehaving as told.
///
/// What it answers comes from a recogniser: it is given what the uploaded file decodes to.
package final class OpenAIStandIn: Sendable {
    /// Whose words it speaks.
    package enum Dialect: String, Sendable, CaseIterable {
        case openAI, groq, speaches, whisperCpp
    }

    /// What goes wrong with a request.
    package enum Fault: Sendable {
        case answer(Int, headers: HTTPHeaders = [:], body: String)
        /// The connection ends amid the answer's body.
        case cutBody
        /// Nothing comes any more.
        case stall
    }

    /// A request that was well formed.
    package struct Received: Sendable {
        package var form: ReceivedForm
        package var samples: [Int16]
        package var headers: HTTPHeaders
    }

    /// A segment that a model makes up, with what it says of it itself. Seconds are of the file.
    package struct Hallucination: Sendable {
        package var start: Double
        package var end: Double
        package var text: String
        package var noSpeech = 0.01
        package var averageLogProbability = -0.2
        package var compressionRatio = 1.2

        package init(
            _ start: Double, _ end: Double, _ text: String, noSpeech: Double = 0.01,
            averageLogProbability: Double = -0.2, compressionRatio: Double = 1.2
        ) {
            self.start = start
            self.end = end
            self.text = text
            self.noSpeech = noSpeech
            self.averageLogProbability = averageLogProbability
            self.compressionRatio = compressionRatio
        }
    }

    /// How strict it is, and what it gets wrong.
    package struct Manner: Sendable {
        /// Seconds of a file; beyond it is refused as the service does.
        package var longest = 1400.0
        /// Bytes of a request.
        package var largest = 25 << 20
        /// Endings of the files that it can read.
        package var endings: Set<String> = ["ogg", "flac", "wav", "mp3"]
        /// What it puts in besides what was said, of a file of so many samples.
        package var hallucinate: @Sendable (_ samples: [Int16]) -> [Hallucination] = { _ in [] }

        package init() {}
    }

    /// From samples at 16 kHz to words with seconds of the file.
    package typealias Recogniser = @Sendable (_ samples: [Int16], _ form: ReceivedForm) -> [Transcript.Word]

    package static let key = "sk-stand-in-0123456789"

    private struct State {
        var received: [Received] = []
        var complaints: [String] = []
        var attempts = 0
        var largestRequest = 0
        var faults: [Int: Fault] = [:]
    }

    private let server: RawServer
    private let state: Locked<State>

    /// - Parameters:
    ///   - faults: by the number of the request, from 1.
    ///   - longest: seconds of a file, instead of the manner's.
    package init(
        _ dialect: Dialect = .openAI, faults: [Int: Fault] = [:], longest: Double? = nil, manner: Manner = Manner(),
        recognise: @escaping Recogniser
    ) throws {
        var manner = manner
        if let longest { manner.longest = longest }
        let state = Locked(State(faults: faults))
        self.state = state
        server = try RawServer { [manner] connection in
            while let (head, body) = try connection.readRequest() {
                let number = state.withLock { state in
                    state.attempts += 1
                    return state.attempts
                }
                switch state.withLock({ $0.faults[number] }) {
                case .answer(let status, let headers, let text)?:
                    var headers = headers
                    headers["x-request-id"] = "req_\(number)"
                    headers["Content-Type"] = text.hasPrefix("{") ? "application/json" : "text/plain"
                    try connection.respond(status, headers: headers, body: Array(text.utf8))
                    continue
                case .cutBody?:
                    try connection.write(
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"text\":")
                    return
                case .stall?:
                    connection.waitForClose()
                    return
                case nil: break
                }
                let answer = OpenAIStandIn.answer(
                    head, body, dialect: dialect, manner: manner, state: state, recognise: recognise)
                try connection.respond(
                    answer.status,
                    headers: ["Content-Type": answer.type, "x-request-id": "req_\(number)"],
                    body: Array(answer.body.utf8))
            }
        }
    }

    /// What ``OpenAISettings/baseURL`` is to be.
    package var baseURL: String { server.url("/v1") }
    /// Requests that were answered by the recogniser, in the order of their answers.
    package var received: [Received] { state.withLock { $0.received } }
    /// What was wrong with requests.
    package var complaints: [String] { state.withLock { $0.complaints } }
    /// All requests, those that were failed counted.
    package var attempts: Int { state.withLock { $0.attempts } }
    /// Bytes of the largest body.
    package var largestRequest: Int { state.withLock { $0.largestRequest } }
    package func stop() { server.stop() }

    // MARK: Answering

    private struct Answer {
        var status: Int
        var body: String
        var type = "application/json"
    }

    private static func answer(
        _ head: RawRequest, _ body: [UInt8], dialect: Dialect, manner: Manner, state: Locked<State>,
        recognise: Recogniser
    ) -> Answer {
        func refuse(_ status: Int, _ message: String, code: String? = nil) -> Answer {
            state.withLock { $0.complaints.append(message) }
            let text = json(message)
            switch dialect {
            case .openAI, .groq:
                let code = code.map { "\"\($0)\"" } ?? "null"
                return Answer(
                    status: status,
                    body: """
                        {"error":{"message":\(text),"type":"invalid_request_error","param":null,"code":\(code)}}
                        """)
            case .speaches: return Answer(status: status, body: "{\"detail\":\(text)}")
            case .whisperCpp: return Answer(status: status, body: "{\"error\":\(text)}")
            }
        }
        guard head.path == "/v1/audio/transcriptions" else { return refuse(404, "no such path") }
        guard head.method == "POST" else { return refuse(405, "POST only") }
        if dialect != .whisperCpp, head.headers["Authorization"] != "Bearer \(key)" {
            return refuse(dialect == .speaches ? 403 : 401, "Incorrect API key provided")
        }
        state.withLock { $0.largestRequest = max($0.largestRequest, body.count) }
        guard body.count <= manner.largest else { return refuse(413, "Maximum content size limit exceeded") }
        let form: ReceivedForm
        do {
            form = try ReceivedForm(body, contentType: head.headers["Content-Type"])
        } catch {
            return refuse(400, "the form cannot be read: \(error)")
        }
        if let objection = objection(to: form, dialect) { return refuse(400, objection) }
        if let ending = form.file?.name.split(separator: ".").last.map(String.init), !manner.endings.contains(ending) {
            return refuse(dialect == .speaches ? 415 : 400, "Unsupported file format \(ending)")
        }
        guard let file = form.file, let samples = decoded(file.bytes) else {
            return refuse(dialect == .speaches ? 415 : 400, "the file cannot be decoded")
        }
        let seconds = Double(samples.count) / 16_000
        guard seconds <= manner.longest else {
            return refuse(
                400,
                "audio duration \(seconds) seconds is longer than \(manner.longest) seconds which is the maximum for this model",
                code: "invalid_value")
        }
        guard seconds >= 0.1 else { return refuse(400, "Audio file is too short") }
        let words = recognise(samples, form)
        state.withLock { $0.received.append(Received(form: form, samples: samples, headers: head.headers)) }
        var answer = SpeechAnswer(words, seconds: seconds, form: form, dialect: dialect)
        answer.hallucinations = manner.hallucinate(samples)
        return Answer(status: 200, body: answer.text)
    }

    private static func objection(to form: ReceivedForm, _ dialect: Dialect) -> String? {
        let known: Set = [
            "model", "language", "prompt", "response_format", "temperature", "timestamp_granularities[]",
            "chunking_strategy",
        ]
        for (name, _) in form.fields where !known.contains(name) { return "unknown field \(name)" }
        guard let model = form["model"] else { return "model is missing" }
        guard let file = form.file else { return "file is missing" }
        let kinds: [(ending: String, type: String, magic: String)] = [
            ("ogg", "audio/ogg", "OggS"), ("flac", "audio/flac", "fLaC"), ("wav", "audio/wav", "RIFF"),
            ("mp3", "audio/mpeg", ""),
        ]
        guard let kind = kinds.first(where: { file.name.hasSuffix(".\($0.ending)") }) else {
            return "Unrecognized file format"
        }
        guard file.contentType == kind.type, file.bytes.starts(with: Array(kind.magic.utf8)) else {
            return "the file is not what its name says"
        }
        if dialect == .whisperCpp { return kind.ending == "wav" ? nil : "failed to read audio data" }
        if let language = form["language"], language.utf8.count != 2 { return "language is no ISO 639-1 code" }
        let format = form["response_format"] ?? "json"
        let formats: Set<String>
        switch model {
        case "gpt-4o-transcribe-diarize": formats = ["json", "text", "diarized_json"]
        case _ where model.hasPrefix("gpt-4o"): formats = ["json"]
        case "plain-1": formats = ["json", "text"]
        default:
            formats =
                dialect == .groq ? ["json", "text", "verbose_json"] : ["json", "text", "srt", "verbose_json", "vtt"]
        }
        guard formats.contains(format) else {
            return "response_format '\(format)' is not compatible with model '\(model)'"
        }
        let granularities = form.values("timestamp_granularities[]")
        guard granularities.isEmpty || format == "verbose_json" else {
            return "timestamp_granularities needs verbose_json"
        }
        guard granularities.allSatisfy({ ["word", "segment"].contains($0) }) else { return "unknown granularity" }
        if model == "segments-1", granularities.contains("word") {
            return "timestamp_granularities 'word' is not supported"
        }
        if model.hasSuffix("-diarize") {
            if form["prompt"] != nil { return "prompt is not supported by this model" }
            if form["chunking_strategy"] != "auto" { return "chunking_strategy is required for this model" }
        }
        return nil
    }

    private static func decoded(_ bytes: [UInt8]) -> [Int16]? {
        let samples = Locked<[Int16]>([])
        let engine = MediaEngine(resolver: BoundResolver(sources: ["upload": MemorySource(bytes)]))
        let call = BlockingCall {
            try await engine.readSound(SoundRequest(input: "upload")) { block in
                samples.withLock { $0 += block.samples[0] }
            }
        }
        guard (try? call.wait()) != nil else { return nil }
        return samples.withLock { $0 }
    }

    static func json(_ text: String) -> String {
        (try? JSONEncoder().encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }
}
