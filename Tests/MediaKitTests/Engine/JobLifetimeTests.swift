import TestSupport
import Testing

@testable import MediaKit

@Suite("A job that is over")
struct JobLifetimeTests {
    @Test("keeps nothing alive, whether it copied, encoded or failed", arguments: [VideoCodec.copy, .h264, .av1])
    func freed(codec: VideoCodec) async throws {
        let bench = try Workbench()
        let input = try await bench.movie(.ordinary(seconds: 1))
        #expect(try !isKept(codec, input: input, bench))
    }

    private func isKept(_ codec: VideoCodec, input: String, _ bench: Workbench) throws -> Bool {
        // A transport stream holds no AV1: that one fails.
        let output = bench.scratch(codec == .copy ? "a.mkv" : "a.ts")
        let request = Transcode(input: input, output: output, video: VideoSettings(codec: codec))
        weak var kept: JobControl?
        do {
            let control = JobControl(budget: CoreBudget(cores: 1), limits: Limits())
            kept = control
            let job = Job(control: control, resolver: LocalResolver(), progress: nil)
            if codec == .av1 {
                #expect(throws: MediaError.self) { try request.execute(job) }
            } else {
                _ = try request.execute(job)
            }
            job.close()
        }
        return kept != nil
    }
}
