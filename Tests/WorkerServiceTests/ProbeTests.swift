import Foundation
import JobQueue
import ServiceTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

/// The health listener and the API of a worker's process, as orchestrators, Prometheus and apps see them.
@Suite(.timeLimit(.minutes(3))) struct ProbeTests {
    @Test func `A process with jobs and API answers on both ports, and says when it is not ready any more`()
        async throws
    {
        let release = ThreadSignal()
        let bench = try await ServiceBench { request in
            request.operation == .get && request.key == "in/held.mkv" ? .hold(release) : nil
        }
        bench.putClip()
        bench.putClip("in/held.mkv")
        // The API's own tables.
        #expect(try await KilnProcess.run(["migrate"], environment: bench.environment()).status == 0)
        let client = try HTTPClient()
        let outcome = try await bench.command(
            ["worker", "--http"],
            [
                "ENABLE_HEALTH_CHECK": "true", "HEALTH_CHECK_PORT": "0",
                "HEALTH_CHECK_ADDRESS": "127.0.0.1", "KILN_HTTP_PORT": "0", "SHUTDOWN_GRACE": "1m",
                "ENABLE_WORKERS": "media.extract_audio,media.probe", "MAX_CONCURRENT_JOBS": "3",
            ]
        ) { log in
            let (probes, api) = (await log.port("health listener"), await log.port("API"))
            func get(_ path: String, _ port: Int) async throws -> (status: Int, body: String) {
                let url = try HTTPURL("http://127.0.0.1:\(port)\(path)")
                do {
                    let reply = try await client.send(
                        HTTPRequest(.get, url, destination: .trusted, retries: HTTPRetryPolicy.none))
                    return (reply.status, String(decoding: reply.body, as: UTF8.self))
                } catch let error as TransferError {
                    guard let status = error.status else { throw error }
                    return (status, String(decoding: error.body, as: UTF8.self))
                }
            }
            _ = try await bench.until { (try? await get("/ready", probes))?.status == 200 ? true : nil }
            // Over HTTP in, and out again.
            let body = #"{"kind": "media.extract_audio", "payload": {"input": "s3://media/in/clip.mkv"}}"#
            let made = try await client.send(
                HTTPRequest(
                    .post, try HTTPURL("http://127.0.0.1:\(api)/v1/jobs"),
                    headers: ["Content-Type": "application/json"], body: .bytes(Array(body.utf8)),
                    destination: .trusted))
            let id = try #require(
                try JSONDecoder().decode(JSONValue.self, from: Data(made.body))["id"]?.string.flatMap {
                    JobID(uuidString: $0)
                })
            _ = try await bench.result(id)
            // One that goes on for as long as the test wants.
            let held = try await bench.enqueue("media.extract_audio", #"{"input": "s3://media/in/held.mkv"}"#)
            _ = try await bench.until(held) { $0.state == .running }
            let status = try JSONDecoder().decode(
                JSONValue.self, from: Data(try await get("/status", probes).body.utf8))
            #expect(status["isRunning"] == true && status["totalWorkers"] == 3 && status["totalActiveJobs"] == 1)
            let health = try JSONDecoder().decode(
                JSONValue.self, from: Data(try await get("/health", probes).body.utf8))
            #expect(health["status"] == "healthy" && health["totalActiveJobs"] == 1)
            let page = try await get("/metrics", probes).body
            for line in [
                #"kiln_jobs_total{kind="media.extract_audio",outcome="succeeded"} 1"#,
                #"kiln_job_wait_seconds_count{kind="media.extract_audio"} 2"#,
                #"kiln_media_speed_ratio_count{kind="media.extract_audio"} 1"#,
                #"kiln_queue_jobs{queue="media.extract_audio",state="running"} 1"#, "kiln_cores_taken 0.5",
                "kiln_workers_alive 2", #"kiln_http_request_duration_seconds_count{method="POST","#,
            ] { #expect(page.contains(line), "\(line) is not in\n\(page)") }
            let document = try String(
                contentsOf: URL(filePath: #filePath).appending(path: "../../../docs/observability.md").standardized,
                encoding: .utf8)
            for line in page.split(separator: "\n") where line.hasPrefix("# TYPE ") {
                let name = String(line.split(separator: " ")[2])
                #expect(document.contains("`\(name)`"), "docs/observability.md does not say what \(name) is")
            }
            #expect(!page.contains(S3Server.credentials.secretAccessKey))
            log.terminate()
            // It answers while the job goes on, so that nobody sends it more.
            let ready = try await bench.until { () async throws -> (status: Int, body: String)? in
                let reply = try await get("/ready", probes)
                return reply.status == 503 ? reply : nil
            }
            #expect(ready.body.contains("\"worker\":\"failing\""))
            #expect(try await get("/health", probes).status == 200)
            release.raise()
            _ = try await bench.result(held)
        }
        #expect(outcome.status == 0, "\(outcome.error)")
    }
}
