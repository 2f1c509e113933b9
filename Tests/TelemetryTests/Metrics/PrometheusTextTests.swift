import Glibc
import Metrics
import Testing

@testable import Telemetry

/// What Prometheus' own parser makes of the text.
@Suite(.enabled(if: PrometheusParser.python != nil, PrometheusParser.absence))
struct PrometheusTextTests {
    @Test func `a queue's metrics come out with their kinds, labels and units`() async throws {
        let registry = MetricsRegistry(descriptions: [
            MetricDescription("kiln_jobs_total", "Attempts by their outcome."),
            MetricDescription("kiln_claim_seconds", "Round trips that claimed.", buckets: .latencies),
        ])
        let jobs = Counter(
            label: "kiln_jobs_total", dimensions: [("kind", "media.probe"), ("outcome", "failed")], factory: registry)
        jobs.increment(by: 3)
        let seconds = Timer(
            label: "kiln_job_duration_seconds", dimensions: [("kind", "media.probe")], factory: registry)
        seconds.recordSeconds(90)
        seconds.recordMilliseconds(7)
        let claim = Timer(label: "kiln_claim_seconds", factory: registry)
        claim.recordNanoseconds(700_000)
        let running = Meter(label: "kiln_running_jobs", factory: registry)
        for _ in 0..<5 { running.increment() }
        running.decrement()

        let page = try await PrometheusParser(registry.text())
        #expect(page.value("kiln_jobs_total", ["kind": "media.probe", "outcome": "failed"]) == 3)
        #expect(page.value("kiln_running_jobs") == 4)
        let kind = ["kind": "media.probe"]
        func atMost(_ bound: String) -> Double? {
            page.value("kiln_job_duration_seconds_bucket", kind.merging(["le": bound]) { $1 })
        }
        #expect([atMost("0.005"), atMost("0.01"), atMost("60"), atMost("120"), atMost("+Inf")] == [0, 1, 1, 2, 2])
        #expect(page.value("kiln_job_duration_seconds_count", kind) == 2)
        #expect(page.value("kiln_job_duration_seconds_sum", kind) == 90.007)
        #expect(page.value("kiln_claim_seconds_bucket", ["le": "0.0005"]) == 0)
        #expect(page.value("kiln_claim_seconds_bucket", ["le": "0.001"]) == 1)
        let kinds = Dictionary(page.families.map { ($0.name, $0.type) }) { first, _ in first }
        // The parser takes `_total` off a counter's name.
        #expect(kinds["kiln_jobs"] == "counter")
        #expect(kinds["kiln_running_jobs"] == "gauge")
        #expect(kinds["kiln_job_duration_seconds"] == "histogram")
        #expect(page.families.first { $0.name == "kiln_jobs" }?.help == "Attempts by their outcome.")
    }

    @Test func `whatever a label or a help text holds is read as it was`() async throws {
        let values = [
            "", " ", "\\", "\"", "\n", "\\n", "a\"b\\c\nd", "é", "日本", "🎬", "a=b,c=\"d\"}", "# HELP x", "\t",
            "\u{2028}",
        ]
        let registry = MetricsRegistry(descriptions: [MetricDescription("odd", "a \\ b\nc \"d\" é")])
        for (index, value) in values.enumerated() {
            Gauge(label: "odd", dimensions: [("value", value)], factory: registry).record(index)
        }
        let page = try await PrometheusParser(registry.text())
        for (index, value) in values.enumerated() {
            #expect(page.value("odd", ["value": value]) == Double(index), "\(value.debugDescription)")
        }
        #expect(page.families.first { $0.name == "odd" }?.help == "a \\ b\nc \"d\" é")
    }

    @Test func `every number is read as it was`() async throws {
        let numbers = [
            0, -0.5, 1, 1e-300, .leastNonzeroMagnitude, 0.1, 123_456_789.125, 9_007_199_254_740_992, 1e21,
            .greatestFiniteMagnitude, .infinity, -.infinity,
        ]
        let registry = MetricsRegistry()
        for (index, number) in numbers.enumerated() {
            Gauge(label: "number", dimensions: [("index", "\(index)")], factory: registry).record(number)
        }
        Gauge(label: "none", factory: registry).record(Double.nan)
        let page = try await PrometheusParser(registry.text())
        for (index, number) in numbers.enumerated() {
            #expect(page.value("number", ["index": "\(index)"]) == number)
        }
        #expect(page.value("none")?.isNaN == true)
    }

    @Test func `the process's own numbers`() async throws {
        let registry = MetricsRegistry()
        registry.collectProcessMetrics()
        let page = try await PrometheusParser(registry.text())
        #expect(try #require(page.value("process_cpu_seconds_total")) > 0)
        #expect(try #require(page.value("process_resident_memory_bytes")) > 1_048_576)
        #expect(
            try #require(page.value("process_virtual_memory_bytes"))
                >= #require(page.value("process_resident_memory_bytes")))
        #expect(try #require(page.value("process_open_fds")) >= 3)
        #expect(try #require(page.value("process_max_fds")) >= #require(page.value("process_open_fds")))
        #expect(try #require(page.value("process_threads")) >= 1)
        // The machine is up for some time, and this process for less than that.
        let started = try #require(page.value("process_start_time_seconds"))
        let now = Double(RFC3339.now.tv_sec)
        #expect(started > now - 86_400 && started < now + 2)
        #expect(page.families.first { $0.name == "process_cpu_seconds" }?.type == "counter")
    }
}
