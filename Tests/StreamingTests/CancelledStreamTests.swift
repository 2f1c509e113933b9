import MediaKit
import TestSupport
import Testing
import Transfer
import TransferTestSupport

extension Streaming {
    @Suite(.timeLimit(.minutes(2))) struct CancelledStreamTests {
        /// What a job waits for when it is cancelled.
        enum Moment: String, CaseIterable, Sendable { case reading, writing, completing }

        /// Longer than any test waits.
        private static let film = RawMovie(width: 320, height: 180, frames: 400, grain: 40)

        private static let work = Work(.made("film.mkv") { [] }, to: "film.mp4") { places in
            let video = VideoSettings(codec: .h264, crf: 20, preset: "ultrafast")
            return .transcode(Transcode(input: places.input, output: places.output, video: video, threads: 2))
        }

        @Test(arguments: Moment.allCases)
        func `A job that is cancelled returns at once and leaves nothing`(_ moment: Moment) async throws {
            let reached = AsyncFlag()
            let release = ThreadSignal()
            defer { release.raise() }
            let bench = try StreamingBench(partSize: 64 << 10) { request in
                let isThere =
                    switch (moment, request.operation) {
                    case (.reading, .get): request.index >= 4
                    case (.writing, .uploadPart): request.index >= 2
                    case (.completing, .completeUpload): true
                    default: false
                    }
                guard isThere else { return nil }
                reached.raise()
                return .hold(release)
            }
            bench.server["in/film.mkv"] = S3Object(.made(size: Self.film.size) { Self.film.bytes($0) })
            let job = Task { await mediaError { _ = try await bench.runThroughStore(Self.work) } }
            await reached.wait()
            let start = ContinuousClock.now
            job.cancel()
            // What became of an object must be known before it can be taken back: that answer is waited for.
            if moment == .completing { release.raise() }
            let error = await job.value
            #expect(error?.code == .cancelled, "\(String(describing: error))")
            #expect(start.duration(to: .now) < .seconds(5), "the server still holds its answer")
            release.raise()
            #expect(
                await bench.becomes { $0.uploads.isEmpty && $0.keys == ["in/film.mkv"] },
                "\(bench.server.uploads.count)")
            #expect(await bench.becomes { _ in bench.ledger.entries.isEmpty })
        }

        @Test(.enabled(if: Streaming.isAlone, "counts what the process has: KILN_ENDURANCE=1 says that it is alone"))
        func `A cancelled job leaves neither thread nor descriptor`() async throws {
            /// A program's life: a client, a job that is cancelled amid its work, and the client's end.
            func life() async throws {
                let reached = AsyncFlag()
                let bench = try StreamingBench(partSize: 64 << 10) { request in
                    if request.operation == .uploadPart, request.index == 2 { reached.raise() }
                    return nil
                }
                bench.server["in/film.mkv"] = S3Object(.made(size: Self.film.size) { Self.film.bytes($0) })
                let job = Task { await mediaError { _ = try await bench.runThroughStore(Self.work) } }
                await reached.wait()
                job.cancel()
                #expect(await job.value?.code == .cancelled)
                #expect(await becomesTrue { ProcessState.threads(named: "kiln-").isEmpty }, "the engine's threads")
                await bench.client.shutdown()
                bench.server.stop()
            }
            // The first ones open what stays open: libraries' own files, Swift's pool.
            for _ in 0..<2 { try await life() }
            let before = await settled()
            for _ in 0..<5 { try await life() }
            let after = await settled()
            #expect(
                after.threads <= before.threads && after.descriptors <= before.descriptors, "\(after), \(before) before"
            )
        }

        /// What the process has once that has not changed for a while.
        private func settled() async -> (threads: Int, descriptors: Int) {
            var last = (threads: 0, descriptors: 0)
            var since = ContinuousClock.now
            _ = await becomesTrue {
                let now = (threads: ProcessState.threads, descriptors: ProcessState.descriptors)
                if now != last { (last, since) = (now, .now) }
                return since.duration(to: .now) > .milliseconds(300)
            }
            return last
        }
    }
}

extension StreamingBench {
    /// Whether the server comes to be so within ten seconds.
    func becomes(_ condition: @Sendable (S3Server) -> Bool) async -> Bool {
        await becomesTrue { condition(server) }
    }
}

/// Whether something comes true within ten seconds: for what goes on behind a call that has returned.
func becomesTrue(_ condition: () -> Bool) async -> Bool {
    let deadline = ContinuousClock.now + .seconds(10)
    while !condition() {
        guard ContinuousClock.now < deadline else { return false }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return true
}
