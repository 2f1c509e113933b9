import CWhisper
import Glibc
import Locking
import Transfer

/// A model of whisper.cpp in memory, for one recognition at a time.
///
// Safe to send: `use` lets one caller in after the other, and the library keeps nothing in its threads.
final class WhisperModel: @unchecked Sendable {
    let version: String
    private let model: OpaquePointer
    private let turn = Turn()

    /// Loads both, which takes seconds. Blocks.
    ///
    /// - Throws: ``ProviderError`` with code `configuration`.
    fileprivate init(model path: String, library: String?) throws(ProviderError) {
        guard access(path, R_OK) == 0 else {
            throw Self.missing(
                "there is no model \(path)",
                "fetch one in the ggml form, such as ggml-base.bin, and name it in WHISPER_MODEL")
        }
        let loaded = try Self.open(library)
        guard let model = kwh_load(loaded, path) else {
            kwh_close(loaded)
            throw Self.missing("\(path) is no model of whisper.cpp", "models have the ggml form, such as ggml-base.bin")
        }
        self.model = model
        version = String(cString: kwh_version(loaded))
    }

    // The library stays: its threads and graphics drivers do not all survive being unloaded.
    deinit { kwh_free(model) }

    /// Loads the library alone, as far as it can be told whether it would do. Blocks.
    ///
    /// - Returns: its version.
    /// - Throws: ``ProviderError`` with code `configuration`.
    static func libraryVersion(_ path: String?) throws(ProviderError) -> String {
        let library = try open(path)
        defer { kwh_close(library) }
        return String(cString: kwh_version(library))
    }

    /// - Parameter path: `nil` for the system's.
    private static func open(_ path: String?) throws(ProviderError) -> OpaquePointer {
        var reasons: [String] = []
        for name in path.map({ [$0] }) ?? ["libwhisper.so.1", "libwhisper.so"] {
            var message = [CChar](repeating: 0, count: 512)
            if let library = kwh_open(name, &message, message.count) { return library }
            let text = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            reasons.append(text.hasPrefix(name) ? text : "\(name): \(text)")
        }
        throw missing(
            "its library cannot be used: \(reasons.joined(separator: "; "))",
            "install libwhisper-dev, or build whisper.cpp and name its libwhisper.so in WHISPER_LIBRARY")
    }

    private static func missing(_ what: String, _ hint: String) -> ProviderError {
        ProviderError(.configuration, what, provider: WhisperTranscriber.name, hint: hint)
    }

    var isMultilingual: Bool { kwh_is_multilingual(model) }
    func knows(language: String) -> Bool { kwh_knows_language(model, language) }

    /// What is recognised, and how.
    struct Task: Sendable {
        var samples: [Int16]
        var language: String?
        var prompt: String?
        var threads: Int
    }

    /// Recognises, once the model is free.
    ///
    /// - Throws: `CancellationError`, ``ProviderError``.
    func recognise(_ task: Task, stop: StopFlag) async throws -> WhisperOutput {
        try await turn.take()
        defer { turn.give() }
        return try await OwnThread.run { [self] in try recogniseNow(task, stop) }
    }

    private func recogniseNow(_ task: Task, _ stop: StopFlag) throws -> WhisperOutput {
        let samples = task.samples.map { Float($0) / 32768 }
        let result = withOptionalCString(task.language) { language in
            withOptionalCString(task.prompt) { prompt in
                withExtendedLifetime(stop) {
                    var options = kwh_options()
                    options.threads = Int32(clamping: task.threads)
                    options.language = language
                    options.prompt = prompt
                    options.progress = { _, _ in }
                    options.stop = { context in
                        guard let context else { return false }
                        return Unmanaged<StopFlag>.fromOpaque(context).takeUnretainedValue().isSet
                    }
                    options.context = Unmanaged.passUnretained(stop).toOpaque()
                    return samples.withUnsafeBufferPointer {
                        kwh_recognise(model, $0.baseAddress, Int32(clamping: $0.count), &options)
                    }
                }
            }
        }
        if stop.isSet { throw CancellationError() }
        guard result == 0 else {
            throw ProviderError(
                .internal, "the recognition failed with \(result)", provider: WhisperTranscriber.name)
        }
        return output
    }

    private var output: WhisperOutput {
        var output = WhisperOutput(language: kwh_language(model).map { String(cString: $0) })
        for segment in 0..<kwh_segment_count(model) {
            var start: Int64 = 0
            var end: Int64 = 0
            kwh_segment_times(model, segment, &start, &end)
            var tokens: [WhisperOutput.Token] = []
            for index in 0..<kwh_token_count(model, segment) {
                let token = kwh_get_token(model, segment, index)
                guard let text = token.text else { continue }
                tokens.append(
                    WhisperOutput.Token(
                        bytes: UnsafeRawBufferPointer(start: text, count: strlen(text)).map { $0 },
                        start: token.start < 0 ? nil : Double(token.start) / 100,
                        end: token.end < 0 ? nil : Double(token.end) / 100, probability: Double(token.probability)))
            }
            output.segments.append(
                WhisperOutput.Segment(start: Double(start) / 100, end: Double(end) / 100, tokens: tokens))
        }
        return output
    }

    // MARK: Those in memory

    private struct Key: Hashable, Sendable {
        var model: String
        var library: String?
    }

    private static let loaded = Locked<[Key: WhisperModel]>([:])
    private static let loading = Turn()

    /// The model, loaded once for a process: they are large.
    static func shared(model: String, library: String?) async throws -> WhisperModel {
        let key = Key(model: model, library: library)
        try await loading.take()
        defer { loading.give() }
        if let known = loaded.withLock({ $0[key] }) { return known }
        let made = try await OwnThread.run { try WhisperModel(model: model, library: library) }
        loaded.withLock { $0[key] = made }
        return made
    }
}

private func withOptionalCString<Result>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
    guard let text else { return body(nil) }
    return text.withCString { body($0) }
}

/// One after the other, in the order in which they ask.
///
/// Thread-safe.
private final class Turn: Sendable {
    private struct State {
        var isTaken = false
        var next = 0
        var waiting: [(id: Int, waiter: CheckedContinuation<Bool, Never>)] = []
    }

    private let state = Locked(State())

    /// - Throws: `CancellationError`.
    func take() async throws {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        let isMine = await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let answer: Bool? = state.withLock { state in
                    if Task.isCancelled { return false }
                    if state.isTaken {
                        state.waiting.append((id, waiter))
                        return nil
                    }
                    state.isTaken = true
                    return true
                }
                if let answer { waiter.resume(returning: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> CheckedContinuation<Bool, Never>? in
                guard let index = state.waiting.firstIndex(where: { $0.id == id }) else { return nil }
                return state.waiting.remove(at: index).waiter
            }
            waiter?.resume(returning: false)
        }
        guard isMine else { throw CancellationError() }
    }

    func give() {
        let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard !state.waiting.isEmpty else {
                state.isTaken = false
                return nil
            }
            return state.waiting.removeFirst().waiter
        }
        next?.resume(returning: true)
    }
}
