import Testing

@testable import Worker

/// How values are written, and the table that they are written by.
@Suite struct ConfigurationFormTests {
    @Test(
        arguments: [
            ("2G", 2_000_000_000), ("1.5Gi", 1_610_612_736), ("500M", 500_000_000), ("64Ki", 65_536), ("64k", 64_000),
            ("64K", 64_000), ("800000", 800_000), ("2GB", 2_000_000_000), ("0", 0),
        ] as [(String, Int64)])
    func `Sizes have decimal or binary units`(text: String, bytes: Int64) {
        #expect(SizeText.read(text) == bytes)
    }

    @Test(arguments: ["", "G", "-1", "2 G", "2Q", "1e3", "two", "2Gib", "99999999T"])
    func `What is no size is not taken for one`(text: String) {
        #expect(SizeText.read(text) == nil)
    }

    @Test func `Sizes and times are written as they are read`() {
        for bytes in [0, 999, 1000, 1 << 20, 5 << 30, 1_500_000, 123_456_789] as [Int64] {
            #expect(SizeText.read(SizeText.write(bytes)) == bytes)
        }
        for time in [.zero, .milliseconds(1), .milliseconds(1500), .seconds(90), .seconds(3600), .seconds(7 * 86_400)]
            as [Duration]
        {
            #expect(Span(argument: DurationText.write(time))?.value == time)
        }
        #expect(DurationText.write(.seconds(90)) == "90s" && DurationText.write(.seconds(7200)) == "2h")
        #expect(SizeText.write(5 << 30) == "5Gi" && SizeText.write(1_500_000) == "1500k")
    }

    @Test func `Milliseconds are a number's unit where the name says so`() throws {
        for (text, time) in [("250", .milliseconds(250)), ("2s", .seconds(2)), ("1.5s", .milliseconds(1500))]
            as [(String, Duration)]
        {
            #expect(try loadConfiguration(["RETRY_DELAY_MS": text]).checked().worker.retryDelay == time)
        }
        for text in ["-1", "9999999999999999", "soon"] {
            #expect(try loadConfiguration(["RETRY_DELAY_MS": text]).problems.count == 1)
        }
    }

    @Test(arguments: [
        "rendered/{jobId}-{timestamp}.{extension}", "{jobId}", "{kind}/{jobId}.mp4",
    ])
    func `A template of keys has the job's id in it`(template: String) throws {
        #expect(try loadConfiguration(["KILN_OUTPUT_KEY": template]).checked().outputs.keyTemplate == template)
    }

    @Test(arguments: ["a.mp4", "{jobid}.mp4", "/{jobId}", "a//{jobId}", "../{jobId}", "{jobId}-{user}", "{jobId}/"])
    func `Other templates are refused`(template: String) throws {
        #expect(try loadConfiguration(["KILN_OUTPUT_KEY": template]).problems.map(\.place) == ["KILN_OUTPUT_KEY"])
    }

    @Test(arguments: ["::1", "[::1]", "0.0.0.0", "localhost", "kiln-api.internal"])
    func `Addresses to listen at are IPv4, IPv6 or names`(address: String) throws {
        let taken = try loadConfiguration(["KILN_HTTP_ADDRESS": address]).checked().http.address
        #expect(taken == (address == "[::1]" ? "::1" : address))
    }

    @Test(arguments: ["mysql://db/app", "redis://cache", "db.example.com"])
    func `What is no Postgres is refused, and not repeated`(url: String) throws {
        let loaded = try loadConfiguration(["DATABASE_URL": url])
        #expect(loaded.problems.map(\.place) == ["DATABASE_URL"])
        #expect(loaded.problems.first?.message.contains(url) == false)
    }

    @Test func `What may be without value can be told so`() throws {
        let configuration = try loadConfiguration(
            ["KILN_RATE_LIMIT": "none", "ENABLE_WORKERS": "all", "KILN_LIMIT_DURATION": "none"],
            yaml: "http: {requestsPerMinute: 5}\nworker: {kinds: [media.probe]}"
        ).checked()
        #expect(configuration.http.requestsPerMinute == nil && configuration.worker.kinds == nil)
    }

    // MARK: The table

    @Test func `Each default, written out, means itself`() throws {
        let defaults = try loadConfiguration()
        for setting in SettingsTable.all where !setting.isRequired && !setting.isSecret {
            let shown = try #require(defaults.setting(setting.key)).value
            let name = try #require(setting.names.first)
            let again = try loadConfiguration([name: shown])
            // The stores' own have no word for nothing.
            guard shown != "unset" else { continue }
            #expect(again.problems.isEmpty, "\(name)=\(shown): \(again.problems)")
            #expect(again.setting(setting.key)?.value == shown)
            #expect(again.setting(setting.key)?.origin == .environment(name))
        }
    }

    @Test func `No two settings share a name or key`() {
        let names = SettingsTable.all.flatMap(\.names)
        #expect(Set(names).count == names.count)
        let keys = SettingsTable.all.map(\.key)
        #expect(Set(keys).count == keys.count)
        for setting in SettingsTable.all {
            #expect(setting.summary.hasSuffix(".") && !setting.names.isEmpty)
            #expect(setting.key.split(separator: ".").count >= 2)
        }
    }

    @Test func `Near names are found, and far ones are not`() {
        let names = ["worker.concurrency", "worker.kinds", "log.level"]
        #expect(NearestName.to("worker.concurency", in: names) == "worker.concurrency")
        #expect(NearestName.to("log.levle", in: names) == "log.level")
        #expect(NearestName.to("Worker.Kinds", in: names) == "worker.kinds")
        #expect(NearestName.to("storage.bucket", in: names) == nil)
        #expect(NearestName.distance(Array("ab".utf8), Array("ba".utf8)) == 1)
        #expect(NearestName.distance(Array("".utf8), Array("abc".utf8)) == 3)
    }

    // MARK: Memory

    @Test func `The least of a group's limits and of those above it holds`() {
        let files = [
            "/proc/self/cgroup": "0::/system.slice/kiln.service\n",
            "/sys/fs/cgroup/system.slice/kiln.service/memory.max": "max\n",
            "/sys/fs/cgroup/system.slice/memory.max": "2147483648\n",
        ]
        #expect(ControlGroup.memoryLimit { files[$0] } == 2 << 30)
        let inContainer = ["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "536870912\n"]
        #expect(ControlGroup.memoryLimit { inContainer[$0] } == 512 << 20)
        let legacy = [
            "/proc/self/cgroup": "5:cpu,cpuacct:/a\n4:memory:/docker/1\n",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824\n",
        ]
        #expect(ControlGroup.memoryLimit { legacy[$0] } == 1 << 30)
        #expect(ControlGroup.memoryLimit { _ in nil } == nil)
        #expect(ControlGroup.memoryLimit { $0 == "/proc/self/cgroup" ? "0::/\n" : "max\n" } == nil)
    }

    @Test func `A limit beyond the machine's memory is none`() {
        let limited = MemoryBudget(cgroup: 1 << 30, physical: 4 << 30)
        #expect(limited.bytes == 1 << 30 && limited.isLimit && limited.forJobs == 819 << 20)
        let unlimited = MemoryBudget(cgroup: .max, physical: 4 << 30)
        #expect(unlimited.bytes == 4 << 30 && !unlimited.isLimit)
        #expect(MemoryBudget.process.bytes > 0)
    }
}
