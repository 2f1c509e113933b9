import Locking
import Metrics
import Testing
import TransferTestSupport

@testable import Telemetry

@Suite struct MetricsRegistryTests {
    /// The lines that begin so.
    private func lines(_ registry: MetricsRegistry, _ prefix: String) async -> [String] {
        await registry.text().split(separator: "\n").map(String.init).filter { $0.hasPrefix(prefix) }
    }

    @Test func `a page is sorted and complete`() async {
        let registry = MetricsRegistry(descriptions: [
            MetricDescription("b_seconds", "How long it took.", buckets: HistogramBuckets([1, 0.5, 0.5, .infinity]))
        ])
        Counter(label: "c.jobs", dimensions: [("kind", "z")], factory: registry).increment(by: 2)
        Counter(label: "c.jobs", dimensions: [("kind", "a")], factory: registry).increment()
        Timer(label: "b", factory: registry).recordMilliseconds(750)
        Gauge(label: "a", factory: registry).record(-1.5)
        #expect(
            await registry.text() == """
                # TYPE a gauge
                a -1.5
                # HELP b_seconds How long it took.
                # TYPE b_seconds histogram
                b_seconds_bucket{le="0.5"} 0
                b_seconds_bucket{le="1"} 1
                b_seconds_bucket{le="+Inf"} 1
                b_seconds_sum 0.75
                b_seconds_count 1
                # TYPE c_jobs counter
                c_jobs{kind="a"} 1
                c_jobs{kind="z"} 2
                # HELP kiln_metrics_collect_failures_total Readings that failed or came too late.
                # TYPE kiln_metrics_collect_failures_total counter
                kiln_metrics_collect_failures_total 0
                # HELP kiln_metrics_rejected_series_total Series that were refused: their name has too many, or another \
                kind.
                # TYPE kiln_metrics_rejected_series_total counter
                kiln_metrics_rejected_series_total 0

                """)
    }

    @Test func `the same dimensions in another order are the same series`() async {
        let registry = MetricsRegistry()
        Counter(label: "n", dimensions: [("a", "1"), ("b", "2")], factory: registry).increment()
        Counter(label: "n", dimensions: [("b", "2"), ("a", "1")], factory: registry).increment()
        #expect(await lines(registry, "n{") == ["n{a=\"1\",b=\"2\"} 2"])
    }

    @Test func `a counter only grows, exactly, until it is reset`() async {
        let registry = MetricsRegistry()
        let counter = Counter(label: "whole", factory: registry)
        counter.increment(by: 9_007_199_254_740_993)
        counter.increment(by: -5)
        let floating = FloatingPointCounter(label: "parts", factory: registry)
        floating.increment(by: 0.25)
        floating.increment(by: -1)
        floating.increment(by: Double.nan)
        floating.increment(by: 1.5)
        #expect(await lines(registry, "whole") == ["whole 9007199254740993"])
        #expect(await lines(registry, "parts") == ["parts 1.75"])
        counter.reset()
        floating.reset()
        #expect(await lines(registry, "whole") == ["whole 0"])
        #expect(await lines(registry, "parts") == ["parts 0"])
    }

    @Test func `a meter is set, and goes up and down`() async {
        let registry = MetricsRegistry()
        let meter = Meter(label: "level", factory: registry)
        meter.set(10)
        meter.increment(by: 2.5)
        meter.decrement()
        #expect(await lines(registry, "level") == ["level 11.5"])
    }

    @Test func `nothing is lost or counted twice when many threads record at once`() async {
        let registry = MetricsRegistry()
        let tasks = 8
        let each = 5000
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<tasks {
                group.addTask {
                    let count = Counter(label: "count", factory: registry)
                    let parts = FloatingPointCounter(label: "parts", factory: registry)
                    let level = Meter(label: "level", factory: registry)
                    let sizes = Recorder(label: "sizes", factory: registry)
                    for _ in 0..<each {
                        count.increment()
                        parts.increment(by: 0.5)
                        if task % 2 == 0 { level.increment(by: 3) } else { level.decrement(by: 1) }
                        sizes.record(2)
                    }
                }
            }
        }
        let all = tasks * each
        #expect(await lines(registry, "count") == ["count \(all)"])
        #expect(await lines(registry, "parts") == ["parts \(all / 2)"])
        #expect(await lines(registry, "level") == ["level \(all)"])
        #expect(await lines(registry, "sizes_count") == ["sizes_count \(all)"])
        #expect(await lines(registry, "sizes_sum") == ["sizes_sum \(2 * all)"])
        #expect(await lines(registry, "sizes_bucket{le=\"2.5\"}") == ["sizes_bucket{le=\"2.5\"} \(all)"])
        #expect(await lines(registry, "sizes_bucket{le=\"1\"}") == ["sizes_bucket{le=\"1\"} 0"])
    }

    @Test(arguments: [
        ("app_bytes", "1024", 14), ("app_ratio", "0.01", 10), ("app_seconds", "0.001", 22), ("app_speed", "0.1", 16),
    ])
    func `the unit at the end of a name chooses the buckets`(name: String, first: String, count: Int) async {
        let registry = MetricsRegistry()
        Recorder(label: name, factory: registry).record(0)
        let buckets = await lines(registry, "\(name)_bucket")
        #expect(buckets.first == "\(name)_bucket{le=\"\(first)\"} 1")
        #expect(buckets.count == count + 1)
        #expect(buckets.last == "\(name)_bucket{le=\"+Inf\"} 1")
    }

    @Test func `a value on a bound counts in that bucket, and odd ones do no harm`() async {
        let registry = MetricsRegistry(descriptions: [
            MetricDescription("t_seconds", "", buckets: HistogramBuckets([1, 2]))
        ])
        let timer = Timer(label: "t_seconds", factory: registry)
        timer.recordSeconds(1)
        timer.recordSeconds(2)
        timer.recordSeconds(3)
        timer.recordNanoseconds(-5)
        let recorder = Recorder(label: "t_seconds", factory: registry)
        recorder.record(Double.nan)
        recorder.record(Double.infinity)
        #expect(
            await lines(registry, "t_seconds") == [
                "t_seconds_bucket{le=\"1\"} 2", "t_seconds_bucket{le=\"2\"} 3", "t_seconds_bucket{le=\"+Inf\"} 4",
                "t_seconds_sum 6", "t_seconds_count 4",
            ])
    }

    @Test(arguments: [
        ("http.requests", "http_requests"), ("9lives", "_9lives"), ("", "_"), ("a:b", "a:b"), ("é-ü", "_____"),
        ("ok_name", "ok_name"), ("a b\n# TYPE", "a_b___TYPE"),
    ])
    func `names are made valid`(label: String, name: String) async {
        let registry = MetricsRegistry()
        Gauge(label: label, factory: registry).record(1)
        #expect(await lines(registry, name + " ") == ["\(name) 1"])
    }

    @Test func `labels' names are made valid, and none of them twice`() async {
        let registry = MetricsRegistry()
        let dimensions = [("__name__", "x"), ("a.b", "1"), ("a_b", "2"), ("le", "z"), ("c:d", "3")]
        Gauge(label: "g", dimensions: dimensions, factory: registry).record(1)
        #expect(await lines(registry, "g{") == ["g{_name__=\"x\",a_b=\"2\",c_d=\"3\",le=\"z\"} 1"])
        Recorder(label: "h", dimensions: [("le", "z")], factory: registry).record(1)
        #expect(await lines(registry, "h_count") == ["h_count{le_=\"z\"} 1"])
    }

    @Test func `label sets are bounded, and sums stay right`() async {
        let registry = MetricsRegistry(seriesLimit: 3)
        for number in 0..<1000 {
            Counter(label: "jobs_total", dimensions: [("kind", "k\(number)")], factory: registry).increment()
        }
        #expect(
            await lines(registry, "jobs_total") == [
                "jobs_total{kind=\"k0\"} 1", "jobs_total{kind=\"k1\"} 1", "jobs_total{kind=\"k2\"} 1",
                "jobs_total{overflow=\"true\"} 997",
            ])
        #expect(
            await lines(registry, "kiln_metrics_rejected_series_total") == ["kiln_metrics_rejected_series_total 997"])
        // One that is known goes on.
        Counter(label: "jobs_total", dimensions: [("kind", "k1")], factory: registry).increment()
        #expect(await lines(registry, "jobs_total{kind=\"k1\"}") == ["jobs_total{kind=\"k1\"} 2"])
    }

    @Test func `a long value of a label is cut`() async throws {
        let registry = MetricsRegistry()
        let value = String(repeating: "ä", count: 10_000)
        Gauge(label: "g", dimensions: [("v", value)], factory: registry).record(1)
        let line = try #require(await lines(registry, "g{").first)
        #expect(line == "g{v=\"\(String(repeating: "ä", count: 128))…\"} 1")
    }

    @Test func `a name keeps the kind that it had first`() async {
        let registry = MetricsRegistry()
        Counter(label: "n", factory: registry).increment()
        Gauge(label: "n", factory: registry).record(7)
        Recorder(label: "n", factory: registry).record(7)
        Timer(label: "t", factory: registry).recordSeconds(1)
        // Would be two samples of one name.
        Counter(label: "t_seconds_count", factory: registry).increment(by: 9)
        #expect(await lines(registry, "n") == ["n 1"])
        #expect(await lines(registry, "t_seconds_count") == ["t_seconds_count 1"])
        #expect(await lines(registry, "kiln_metrics_rejected_series_total") == ["kiln_metrics_rejected_series_total 3"])
    }

    @Test func `what is destroyed is gone`() async {
        let registry = MetricsRegistry()
        let gone = Counter(label: "n", dimensions: [("k", "gone")], factory: registry)
        Counter(label: "n", dimensions: [("k", "kept")], factory: registry).increment()
        gone.destroy()
        gone.increment()
        #expect(await lines(registry, "n") == ["n{k=\"kept\"} 1"])
    }

    @Test func `values that are read are read each time`() async {
        let registry = MetricsRegistry()
        let depth = Locked(4.0)
        #expect(registry.gauge("depth", "Jobs that wait.", dimensions: [("queue", "a")]) { depth.withLock { $0 } })
        #expect(await lines(registry, "depth") == ["depth{queue=\"a\"} 4"])
        depth.withLock { $0 = 5 }
        #expect(
            await lines(registry, "").filter { $0.contains("depth") } == [
                "# HELP depth Jobs that wait.", "# TYPE depth gauge", "depth{queue=\"a\"} 5",
            ])
        // The name is taken.
        #expect(!registry.gauge("depth", "") { 1 })
    }

    @Test func `a reading that fails is left out and counted, and the others are there`() async {
        struct Away: Error {}
        let registry = MetricsRegistry()
        registry.gauge("good", "") { 1 }
        registry.gauge("absent", "") { nil }
        registry.gauge("bad", "") { throw Away() }
        #expect(await lines(registry, "good") == ["good 1"])
        #expect(await lines(registry, "bad").isEmpty)
        #expect(await lines(registry, "absent").isEmpty)
        #expect(
            await lines(registry, "kiln_metrics_collect_failures_total") == ["kiln_metrics_collect_failures_total 4"])
    }

    @Test(.timeLimit(.minutes(5)))
    func `a reading that hangs holds nobody up, and is not begun again`() async {
        let registry = MetricsRegistry(collectLimit: .milliseconds(100))
        let mayEnd = AsyncFlag()
        let calls = Locked(0)
        registry.gauge("slow", "") {
            calls.withLock { $0 += 1 }
            await mayEnd.wait()
            return 1
        }
        Counter(label: "other", factory: registry).increment()
        for _ in 0..<3 {
            #expect(await lines(registry, "other") == ["other 1"])
            #expect(await lines(registry, "slow").isEmpty)
        }
        #expect(calls.withLock { $0 } == 1)
        mayEnd.raise()
        // Once it is over it is read again.
        while await lines(registry, "slow") != ["slow 1"] {}
    }

    @Test func `several metrics are read at once, without strangers and twins`() async {
        let registry = MetricsRegistry(seriesLimit: 2)
        registry.collect([CollectedMetric("a", .gauge, "A."), CollectedMetric("b_total", .counter, "B.")]) {
            [
                MetricReading("a", 1, dimensions: [("q", "x")]), MetricReading("a", 2, dimensions: [("q", "x")]),
                MetricReading("a", 3, dimensions: [("q", "y")]), MetricReading("a", 4, dimensions: [("q", "z")]),
                MetricReading("b_total", 5), MetricReading("stranger", 6),
            ]
        }
        let text = await registry.text()
        #expect(
            text.hasPrefix(
                """
                # HELP a A.
                # TYPE a gauge
                a{q="x"} 2
                a{q="y"} 3
                # HELP b_total B.
                # TYPE b_total counter
                b_total 5
                # HELP kiln
                """))
        #expect(text.contains("kiln_metrics_rejected_series_total 1\n"))
        #expect(!text.contains("stranger"))
    }
}
