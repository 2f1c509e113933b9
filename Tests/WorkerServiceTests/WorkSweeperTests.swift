import Foundation
import JobQueue
import Logging
import ServiceTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

/// What pipelines leave between their steps.
@Suite struct WorkSweeperTests {
    @Test func `What finished jobs have left is thrown away, and a dead one may be retried for a week`() async throws {
        let bench = try await ServiceBench()
        bench.putClip()
        func leave(_ id: JobID) -> String {
            let key = "work/\(id.uuidString.lowercased())/sound.flac"
            bench.server.put(key, [1])
            return key
        }
        let done = try await bench.enqueue("media.probe", #"{"input": "s3://media/in/clip.mkv"}"#)
        _ = try await bench.serving { _ in try await bench.result(done) }
        let cancelled = try await bench.enqueue("media.probe", "{}")
        try await bench.queue.cancel(cancelled)
        let waiting = try await bench.enqueue("media.probe", "{}")
        let left = [leave(done), leave(cancelled)]
        // Another queue's, in the same store, and what is no job's at all.
        let kept = [leave(waiting), leave(UUID())]
        bench.server.put("work/notes.txt", [2])

        let stores = try bench.configuration.storage.stores(web: .guarded)
        let sweeper = WorkSweeper(queue: bench.queue, stores: stores, logger: Logger(label: "test"))
        #expect(try await sweeper.sweep() == [done])
        #expect(bench.server.bytes(left[0]) == nil && bench.server.bytes(left[1]) != nil)
        #expect(try await sweeper.sweep(at: .now + WorkSweeper.memory + 60) == [cancelled])
        #expect(bench.server.bytes(left[1]) == nil)
        #expect(kept.allSatisfy { bench.server.bytes($0) != nil } && bench.server.bytes("work/notes.txt") != nil)
        #expect(try await sweeper.sweep(at: .now + WorkSweeper.memory + 60).isEmpty)
    }
}
