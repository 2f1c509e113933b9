import CPocketSphinx
import Locking

/// A decoder with its models in memory.
///
// Safe to send: it belongs to one recognition at a time, by ``PocketSphinxPool``, which decodes one utterance after the
// other. The library keeps nothing in its threads.
final class PocketSphinxDecoder: @unchecked Sendable {
    /// What was heard, fillers included.
    struct Word: Sendable {
        /// As the dictionary has it: "read(2)", "<sil>", "[NOISE]".
        var entry: String
        /// Seconds of the utterance.
        var start: Double
        var end: Double
        /// 0 to 1.
        var confidence: Double
    }

    let model: PocketSphinxModel
    private let decoder: OpaquePointer
    /// By channel; -1 for all of them mixed.
    private var spectra: [Int: kps_spectrum] = [:]

    /// Loads the models, which takes a moment. Blocks.
    ///
    /// - Throws: ``ProviderError`` with code `configuration`.
    init(_ model: PocketSphinxModel) throws(ProviderError) {
        kps_silence()
        guard let decoder = kps_open(model.acoustic, model.language, model.dictionary) else {
            throw ProviderError(
                .configuration, "the models beside \(model.acoustic) cannot be read",
                provider: PocketSphinxTranscriber.name, hint: "install Debian's pocketsphinx-en-us anew")
        }
        self.model = model
        self.decoder = decoder
    }

    deinit { ps_free(decoder) }

    /// Forgets what it knows of the recording.
    func reset() { spectra = [:] }

    /// Decodes one utterance. Blocks.
    ///
    /// - Parameters:
    ///   - samples: 16 kHz.
    ///   - stop: looked at every tenth of a second.
    /// - Throws: `CancellationError`, ``ProviderError``.
    func decode(_ samples: [Int16], channel: Int?, stop: StopFlag) throws -> [Word] {
        var spectrum = spectra[channel ?? -1] ?? kps_spectrum()
        let result = samples.withUnsafeBufferPointer { buffer in
            withExtendedLifetime(stop) {
                kps_decode(
                    decoder, buffer.baseAddress, buffer.count, &spectrum,
                    { context in
                        guard let context else { return 0 }
                        return Unmanaged<StopFlag>.fromOpaque(context).takeUnretainedValue().isSet ? 1 : 0
                    }, Unmanaged.passUnretained(stop).toOpaque())
            }
        }
        if result == 1 { throw CancellationError() }
        guard result == 0 else {
            throw ProviderError(.internal, "an utterance could not be decoded", provider: PocketSphinxTranscriber.name)
        }
        spectra[channel ?? -1] = spectrum
        return words
    }

    private var words: [Word] {
        var words: [Word] = []
        // The iterator frees itself at its end.
        var next = ps_seg_iter(decoder)
        while let word = next {
            var start: Int32 = 0
            var end: Int32 = 0
            kps_times(word, &start, &end)
            if let entry = ps_seg_word(word) {
                words.append(
                    Word(
                        entry: String(cString: entry), start: Double(start) / 100, end: Double(end) / 100,
                        confidence: kps_confidence(decoder, word)))
            }
            next = ps_seg_next(word)
        }
        return words
    }
}

/// Tells a call that blocks to end.
///
/// Thread-safe.
final class StopFlag: Sendable {
    private let value = Locked(false)
    var isSet: Bool { value.withLock { $0 } }
    func set() { value.withLock { $0 = true } }
}
