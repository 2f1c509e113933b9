import Foundation
import Testing

@testable import JobQueue

@Suite(.serialized) struct StepTests {
    @Test func `a step that succeeded is not run again by the next attempt`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        let id = try await bench.enqueue("a")
        var job = try await worker.claimOne()
        #expect(try await worker.beginStep(job, "download") == "t running")
        #expect(try await worker.finishStep(job, "download", result: #"{"bytes": 5}"#))
        #expect(try await worker.beginStep(job, "encode") == "t running")
        #expect(try await worker.finishStep(job, "encode", error: #"{"code": "no"}"#))
        #expect(try await !worker.finishStep(job, "never begun", result: "1"))
        try await worker.fail(job)
        job = try await worker.claimOne()
        #expect(try await worker.beginStep(job, "download") == #"t succeeded {"bytes": 5}"#)
        #expect(try await worker.beginStep(job, "encode") == "t running")
        #expect(
            try await bench.values("SELECT concat_ws(' ', seq, name, status, attempt) FROM kiln.worker_steps($1)", id)
                == ["1 download succeeded 1", "2 encode running 2"])
        #expect(try await worker.finishStep(job, "encode", result: "7"))
        try await worker.complete([job])
        #expect(try await bench.job(id, "steps,1,result") == "7")
        #expect(try await bench.job(id, "steps,1,error") == nil)
        #expect(
            try await bench.values("SELECT concat_ws(' ', name, status, seconds >= 0) FROM kiln.pipeline_steps ORDER BY seq")
                == ["download succeeded t", "encode succeeded t"])
    }

    @Test func `progress and the checkpoint are read while it runs and handed to the next attempt`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        let id = try await bench.enqueue("a")
        var job = try await worker.claimOne()
        #expect(job.checkpoint == nil)
        try await worker.progress(job, #""fraction": 0.25, "phase": "read", "message": "m", "details": [1], "checkpoint": {"at": 7}"#)
        try await worker.progress(job, #""fraction": 0.5, "phase": "write""#)
        #expect(try await bench.job(id, "progress,fraction") == "0.5")
        #expect(try await bench.job(id, "progress,phase") == "write")
        #expect(try await bench.job(id, "progress,checkpoint,at") == "7")
        for ending in ["release", "fail", "die"] {
            switch ending {
            case "release": try await worker.release([job])
            case "fail": try await worker.fail(job)
            default: try await worker.die()
            }
            let next = ending == "die" ? try await bench.worker("a") : worker
            job = try await next.claimOne(idle: true)
            #expect(job.checkpoint == #"{"at": 7}"#, "\(ending)")
        }
    }

    @Test func `a step's name is checked`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        try await bench.enqueue("a")
        let job = try await worker.claimOne()
        let error = await bench.error("SELECT kiln.worker_step_begin($1, $2, $3, '')", worker.id, job.id, job.token)
        #expect(error?.sqlState == "22023")
    }
}
