import ByteIO
import Foundation
import MediaKit
import TestSupport
import Testing

/// Damaged files through the whole engine: each must end in a result or in a ``MediaError`` that is not our fault,
/// in good time, and leave no output where it failed.
///
/// `KILN_FUZZ_SECONDS` runs it for longer; `KILN_FUZZ_SEED` begins at another seed; `KILN_FUZZ_FOLDER` keeps the input
/// that is being worked on there, for the case of a crash. `scripts/fuzz` sets them.
@Suite(.serialized) struct FuzzTests {
    private struct Settings {
        var inputs = 300
        var seconds = 40.0
        var seed: UInt64 = 1
        var folder: String?

        init(_ environment: [String: String] = ProcessInfo.processInfo.environment) {
            if let text = environment["KILN_FUZZ_SECONDS"], let value = Double(text) {
                (seconds, inputs) = (value, .max)
            }
            seed = environment["KILN_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1
            folder = environment["KILN_FUZZ_FOLDER"]
        }
    }

    private static let limits = Limits(
        pixels: 1 << 22, durationSeconds: 20, outputBytes: 16 << 20, streams: 32, wallSeconds: 10)

    @Test func `damaged files end in a result or a named error`() async throws {
        let settings = Settings()
        let corpus = try await FuzzCorpus.load()
        let begin = ContinuousClock.now
        var outcomes: [String: Int] = [:]
        var seed = settings.seed
        var ran = 0
        while ran < settings.inputs, ContinuousClock.now - begin < .seconds(settings.seconds) {
            let input = Self.input(seed, corpus)
            if let folder = settings.folder {
                try Data(input.bytes).write(to: URL(filePath: "\(folder)/seed-\(seed)-\(input.fileName)"))
            }
            let started = ContinuousClock.now
            for request in input.requests {
                let outcome = await Self.run(request, input)
                outcomes[outcome.name, default: 0] += 1
                #expect(outcome.problem == nil, "seed \(seed), \(input.name), \(request): \(outcome.problem ?? "")")
            }
            let took = (ContinuousClock.now - started) / .seconds(1)
            #expect(took < 30, "seed \(seed), \(input.name): \(took) s")
            if let folder = settings.folder {
                try? FileManager.default.removeItem(atPath: "\(folder)/seed-\(seed)-\(input.fileName)")
            }
            seed += 1
            ran += 1
        }
        #expect(ran > 0)
        let counts = outcomes.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        let elapsed = Int((ContinuousClock.now - begin) / .seconds(1))
        print("fuzz: \(ran) damaged inputs from seed \(settings.seed) in \(elapsed) s: \(counts)")
    }

    private enum Work: String { case probe, transcode, extract, silence, burnEmbedded, burn }

    private struct Input {
        var name: String
        var bytes: [UInt8]
        var requests: [Work]
        var fileName: String { name.split(separator: "/").last.map(String.init) ?? name }
    }

    private static func input(_ seed: UInt64, _ corpus: FuzzCorpus) -> Input {
        var mutation = Mutation(seed: seed &* 0x9E37_79B9, others: corpus.media.prefix(8).map(\.bytes))
        if mutation.number(below: 3) == 0 {
            let file = corpus.texts[mutation.number(below: corpus.texts.count)]
            return Input(name: file.name, bytes: mutation.mutateText(file.bytes), requests: [.burn])
        }
        let file = corpus.media[mutation.number(below: corpus.media.count)]
        let work: [Work] = [.transcode, .transcode, .extract, .silence, .burnEmbedded]
        let second = work[mutation.number(below: work.count)]
        return Input(name: file.name, bytes: mutation.mutate(file.bytes), requests: [.probe, second])
    }

    private static let canvas = burningClip(frames: 6, rate: 6, width: 160, height: 90).bytes

    /// - Returns: the outcome's name for counting, and what is wrong with it.
    private static func run(_ work: Work, _ input: Input) async -> (name: String, problem: String?) {
        let sink = MemorySink(name: "out", limit: 32 << 20)
        let engine = MediaEngine(
            resolver: BoundResolver(
                sources: ["in": MemorySource(input.bytes, name: input.name), "canvas": MemorySource(canvas)],
                sinks: ["out": sink]),
            cores: CoreBudget(cores: 2))
        let video = VideoSettings(codec: .h264, preset: "ultrafast", size: PictureSize(width: 64))
        do {
            switch work {
            case .probe:
                _ = try await engine.run(Probe(input: "in"))
                return ("probed", nil)
            case .transcode:
                _ = try await engine.run(
                    Transcode(
                        input: "in", output: "out", container: .mkv, video: video, end: 1, limits: limits,
                        tolerance: Tolerance(lostFrames: 1)))
            case .extract:
                _ = try await engine.run(
                    ExtractAudio(
                        input: "in", output: "out", container: .wav, preset: .speech, end: 1.5, limits: limits,
                        tolerance: Tolerance(lostFrames: 1)))
            case .silence:
                _ = try await engine.run(
                    ExtractAudio(
                        input: "in", output: "out", container: .flac, end: 3, trimSilence: true, limits: limits,
                        tolerance: Tolerance(lostFrames: 1)))
            case .burnEmbedded:
                _ = try await engine.run(
                    BurnSubtitles(
                        input: "in", subtitles: .embedded(nil), output: "out", container: .mkv, video: video, end: 1,
                        limits: limits, tolerance: Tolerance(lostFrames: 1)))
            case .burn:
                _ = try await engine.run(
                    BurnSubtitles(
                        input: "canvas", subtitles: .file("in"), output: "out", container: .mkv, video: video,
                        limits: limits))
            }
            return ("made", sink.bytes == nil ? "a result without an output" : nil)
        } catch {
            if work != .probe, sink.bytes != nil { return ("left", "an output in spite of \(error)") }
            guard let error = error as? MediaError else { return ("foreign", "not a MediaError: \(error)") }
            return (error.code.rawValue, error.code == .internal ? "\(error) \(error.log)" : nil)
        }
    }
}
