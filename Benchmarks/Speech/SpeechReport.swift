import MediaKit
import Providers

/// Everything that was measured, as `--json` writes it.
struct SpeechReport: Codable {
    struct Case: Codable {
        var recording: String
        var engine: String
        /// Of the recording.
        var seconds: Double
        var words: Int
        var wordErrorRate: Double
        var substitutions: Int
        var deletions: Int
        var insertions: Int
        var run: Run
        /// US dollars; none for what runs here.
        var cost: Double?

        init(
            recording: String, seconds: Double, transcription: Transcription, errors: WordErrorRate, run: Run
        ) {
            self.recording = recording
            engine = transcription.transcript.engine ?? ""
            self.seconds = seconds
            words = errors.words
            wordErrorRate = errors.rate
            substitutions = errors.substitutions
            deletions = errors.deletions
            insertions = errors.insertions
            self.run = run
            cost = transcription.usage.cost
        }
    }

    var method: [String]
    var environment: Environment
    var cases: [Case] = []

    static let header =
        "recording                engine             seconds  words    WER   sub   del   ins    CPU s   time s   speed"

    static func line(of one: Case) -> String {
        func pad(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(1, width - text.count))
        }
        func number(_ value: Int, _ width: Int) -> String { Double(value).fixed(0, width: width) }
        let counts = number(one.substitutions, 6) + number(one.deletions, 6) + number(one.insertions, 6)
        let times = one.run.cpuSeconds.fixed(2, width: 9) + one.run.wallSeconds.fixed(2, width: 9)
        let speed = (one.seconds / max(one.run.wallSeconds, 0.001)).fixed(1, width: 7)
        return pad(one.recording, 25) + pad(one.engine, 18) + one.seconds.fixed(1, width: 8) + number(one.words, 7)
            + (one.wordErrorRate * 100).fixed(0, width: 6) + "%" + counts + times + speed + "×"
    }
}
