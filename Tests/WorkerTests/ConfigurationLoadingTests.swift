import Logging
import MediaKit
import TestSupport
import Testing
import Transfer

@testable import Worker

/// Loads settings as a command does, with a database unless a test says otherwise.
func loadConfiguration(_ environment: [String: String] = [:], yaml: String? = nil) throws -> LoadedConfiguration {
    var variables = environment
    if variables["DATABASE_URL"] == nil { variables["DATABASE_URL"] = "postgresql://app@db/app" }
    guard let yaml else { return ConfigurationLoader.load(environment: variables) }
    let folder = try Scratch()
    let path = try folder.put("kiln.yaml", Array(yaml.utf8))
    return ConfigurationLoader.load(environment: variables, file: path)
}

extension LoadedConfiguration {
    func setting(_ key: String) -> EffectiveSetting? { settings.first { $0.key == key } }
    /// All that could be printed.
    var everythingShown: String {
        let report = (try? JSONText.pretty(ConfigCommand.report(self))) ?? ""
        return report + ConfigCommand.text(self) + ConfigurationFailure(problems: problems).description
            + "\(problems)\(warnings)"
    }
}

@Suite struct ConfigurationLoadingTests {
    @Test func `With nothing but a database there is a configuration, by defaults`() throws {
        let loaded = try loadConfiguration()
        let configuration = try loaded.checked()
        #expect(configuration.database.url == "postgresql://app@db/app" && configuration.database.schema == "kiln")
        #expect(configuration.worker.concurrency == 4 && configuration.worker.kinds == nil)
        #expect(configuration.worker.cores == Double(CoreBudget.process.cores))
        #expect(configuration.worker.shutdownGrace == .seconds(30) && configuration.worker.role == .any)
        #expect(configuration.http.address == "127.0.0.1" && configuration.http.isLoopback)
        #expect(!configuration.health.isEnabled && configuration.health.port == 8080)
        #expect(configuration.log.level == .info && configuration.telemetry.exporter == nil)
        #expect(configuration.limits == Limits())
        #expect(loaded.warnings.isEmpty)
        #expect(loaded.settings.filter { $0.origin != .fallback }.map(\.key) == ["database.url"])
    }

    @Test func `Who is named to write must have its key where jobs run`() async throws {
        for (variables, missing) in [
            (["KILN_CHAT": "anthropic"], "ANTHROPIC_API_KEY"), (["KILN_CHAT": "openai"], "OPENAI_API_KEY"),
            (["KILN_CHAT": "anthropic", "OPENAI_API_KEY": "sk-1", "WORKER_MODE": "true"], "ANTHROPIC_API_KEY"),
        ] {
            let loaded = try loadConfiguration(variables)
            #expect(throws: ConfigurationFailure.self) { try loaded.checked() }
            let report = await Doctor(checks: [SettingsCheck()]).examine(DoctorContext(loaded: loaded))
            #expect(!report.isHealthy && report.text.contains("KILN_CHAT"), "\(report.text)")
            #expect(report.text.contains("\(missing) is not set"), "\(report.text)")
        }
        for variables in [
            ["KILN_CHAT": "anthropic", "ANTHROPIC_API_KEY": "sk-ant-1"],
            ["KILN_CHAT": "openai", "OPENAI_API_KEY": "sk-1"],
            // A server of one's own may want none; who runs no jobs asks nobody.
            ["KILN_CHAT": "openai", "OPENAI_BASE_URL": "http://llm:8080/v1"],
            ["KILN_CHAT": "anthropic", "RUN_WORKERS": "false"], ["KILN_CHAT": "none"], ["KILN_CHAT": "auto"],
        ] { _ = try loadConfiguration(variables).checked() }
    }

    @Test func `An account at Twilio is a SID, as it becomes part of keys`() throws {
        let account = "AC" + String(repeating: "0a", count: 16)
        #expect(try loadConfiguration(["TWILIO_ACCOUNT_SID": account]).checked().providers.twilio.accountSID == account)
        for wrong in ["../up", "SK123", "AC"] {
            let loaded = try loadConfiguration(["TWILIO_ACCOUNT_SID": wrong])
            #expect(loaded.problems.count == 1 && "\(loaded.problems)".contains("TWILIO_ACCOUNT_SID"))
        }
    }

    @Test func `The variables that workers like this one have are taken`() throws {
        let configuration = try loadConfiguration([
            "WORKER_CONCURRENCY": "8", "ENABLE_WORKERS": "media.probe, media.transcode", "MAX_CONCURRENT_JOBS": "3",
            "RETRY_DELAY_MS": "5000", "LOG_LEVEL": "warn", "ENABLE_HEALTH_CHECK": "true", "HEALTH_CHECK_PORT": "9090",
            "SHUTDOWN_GRACE": "1m30s", "WORKER_MODE": "true", "R2_ENDPOINT": "https://account.r2.cloudflarestorage.com",
            "R2_BUCKET_NAME": "media", "R2_ACCESS_KEY_ID": "id", "R2_SECRET_ACCESS_KEY": "key",
        ]).checked()
        #expect(configuration.worker.concurrency == 8 && configuration.worker.concurrencyPerKind == 3)
        #expect(configuration.worker.kinds == ["media.probe", "media.transcode"])
        #expect(configuration.worker.retryDelay == .seconds(5) && configuration.worker.shutdownGrace == .seconds(90))
        #expect(configuration.worker.role == .jobs && configuration.log.level == .warning)
        #expect(configuration.health.isEnabled && configuration.health.port == 9090)
        #expect(configuration.storage.defaultStore == .bucket("media") && configuration.storage.s3.region == "auto")
    }

    @Test func `The environment comes before the file, and the file before the defaults`() throws {
        let yaml = """
            worker:
              concurrency: 6
              shutdownGrace: 20s
            log: {level: debug}
            """
        let loaded = try loadConfiguration(["WORKER_CONCURRENCY": "9"], yaml: yaml)
        let configuration = try loaded.checked()
        #expect(configuration.worker.concurrency == 9 && configuration.worker.shutdownGrace == .seconds(20))
        #expect(configuration.log.level == .debug)
        #expect(loaded.setting("worker.concurrency")?.origin == .environment("WORKER_CONCURRENCY"))
        guard case .file(let path, let line) = loaded.setting("worker.shutdownGrace")?.origin else {
            Issue.record("it comes from the file")
            return
        }
        #expect(path.hasSuffix("kiln.yaml") && line == 3)
        #expect(loaded.setting("worker.lease")?.origin == .fallback)
    }

    @Test func `A schema's name leaves room for that of the API's schema`() throws {
        let name = String(repeating: "q", count: 57)
        #expect(try loadConfiguration(["KILN_SCHEMA": name]).checked().database.schema == name)
        let problems = try loadConfiguration(["KILN_SCHEMA": name + "q"]).problems
        #expect(problems.map(\.place) == ["KILN_SCHEMA"])
    }

    @Test func `A variable without text says nothing`() throws {
        let loaded = try loadConfiguration(
            ["WORKER_CONCURRENCY": "", "LOG_LEVEL": " \n"], yaml: "worker: {concurrency: 6}")
        #expect(try loaded.checked().worker.concurrency == 6)
        #expect(loaded.setting("log.level")?.origin == .fallback)
    }

    @Test func `White space around a value does not count`() throws {
        let loaded = try loadConfiguration(["WORKER_CONCURRENCY": " 6\n", "KILN_STORE": "s3://media\n"])
        #expect(try loaded.checked().worker.concurrency == 6)
        #expect(loaded.value.storage.defaultStore == .bucket("media"))
    }

    @Test func `All that is wrong is told at once, with what to do`() throws {
        let loaded = ConfigurationLoader.load(environment: [
            "WORKER_CONCURRENCY": "many", "SHUTDOWN_GRACE": "soon", "KILN_MEMORY": "-1", "HEALTH_CHECK_PORT": "70000",
            "LOG_FORMAT": "xml", "KILN_ALLOWED_NETWORKS": "10.0.0.0/8,here", "KILN_OUTPUT_KEY": "rendered/all.mp4",
            "KILN_STORE": "media", "R2_ENDPOINT": "ftp://x", "OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317",
        ])
        let places = loaded.problems.map(\.place)
        #expect(
            Set(places) == [
                "DATABASE_URL", "WORKER_CONCURRENCY", "SHUTDOWN_GRACE", "KILN_MEMORY", "HEALTH_CHECK_PORT",
                "LOG_FORMAT",
                "KILN_ALLOWED_NETWORKS", "KILN_OUTPUT_KEY", "KILN_STORE", "R2_ENDPOINT", "R2_ACCESS_KEY_ID",
                "R2_SECRET_ACCESS_KEY", "OTEL_EXPORTER_OTLP_ENDPOINT",
            ])
        let failure = #expect(throws: ConfigurationFailure.self) { try loaded.checked() }
        let text = try #require(failure?.description)
        #expect(text.hasPrefix("the settings have \(places.count) problems:\n  - "))
        #expect(text.contains(#"WORKER_CONCURRENCY is "many": give a whole number from 1 to 1024, or leave it out"#))
        #expect(text.contains("SHUTDOWN_GRACE is \"soon\": give a time such as 90 (seconds), 30s or 1m30s"))
        #expect(text.contains("postgresql://user:password@host"))
    }

    @Test func `Redis alone is answered with what the queue is`() throws {
        let loaded = ConfigurationLoader.load(environment: ["REDIS_URL": "redis://:s3cr3t@cache:6379"])
        let problem = try #require(loaded.problems.first { $0.place == "DATABASE_URL" })
        #expect(problem.message.contains("Postgres") && problem.message.contains("REDIS_URL"))
        #expect(!loaded.everythingShown.contains("s3cr3t"))
        #expect(try loadConfiguration(["REDIS_URL": "redis://cache"]).problems.isEmpty)
    }

    @Test func `A variable that looks like a setting and is none is a warning`() throws {
        let loaded = try loadConfiguration([
            "KILN_WORKER_NAMES": "a", "KILN_SOMETHING_ELSE": "b", "KILN_CONFIG": "x.yaml",
        ])
        #expect(loaded.problems.isEmpty && loaded.warnings.count == 2)
        #expect(
            loaded.warnings.contains {
                $0.contains("KILN_WORKER_NAMES") && $0.contains("did you mean KILN_WORKER_NAME?")
            })
        #expect(loaded.warnings.contains { $0.contains("KILN_SOMETHING_ELSE") && !$0.contains("did you mean") })
    }

    @Test func `What Kubernetes says of a service of that name is no setting`() throws {
        let loaded = try loadConfiguration([
            "KILN_HTTP_PORT": "tcp://10.0.0.1:80", "KILN_HTTP_SERVICE_HOST": "10.0.0.1", "KILN_HTTP_SERVICE_PORT": "80",
            "KILN_HTTP_PORT_80_TCP_ADDR": "10.0.0.1", "KILN_HTTP_PORT_80_TCP": "tcp://10.0.0.1:80",
        ])
        #expect(loaded.problems.isEmpty && loaded.warnings.isEmpty)
        #expect(loaded.value.http.port == 8000)
    }

    // MARK: Secrets

    @Test func `No secret is ever shown`() throws {
        let secret = "s3cr3t"
        let good = try loadConfiguration([
            "DATABASE_URL": "postgresql://app:\(secret)@db/app?sslpassword=\(secret)",
            "R2_ENDPOINT": "https://user:\(secret)@r2.example.com/?token=\(secret)",
            "R2_ACCESS_KEY_ID": "id", "R2_SECRET_ACCESS_KEY": secret, "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_SESSION_TOKEN": secret, "KILN_WEBHOOK_SECRET": "whsec_c3MzY3IzdHMzY3IzdHMzY3IzdHMzY3IzdA==",
            "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer%20\(secret)",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "https://user:\(secret)@otel.example.com",
        ])
        #expect(good.problems.isEmpty)
        #expect(good.value.telemetry.exporter?.headers.first?.value == "Bearer \(secret)")
        for text in [secret, "c3MzY3Iz"] { #expect(!good.everythingShown.contains(text)) }
        #expect(good.setting("database.url")?.value == "host=db user=app dbname=app")
        #expect(good.setting("telemetry.headers")?.value == "Authorization=****")

        // Nor when it is wrong, or where something else belongs.
        var wrong: [String: String] = good.settings.flatMap(\.names).reduce(into: [:]) {
            $0[$1] = "http://u:\(secret)@"
        }
        wrong["DATABASE_URL"] = "postgresql://app:\(secret)@\(secret)@db/app"
        wrong["KILN_WEBHOOK_SECRET"] = secret
        wrong["OTEL_EXPORTER_OTLP_HEADERS"] = secret
        let sensitive =
            SettingsTable.all.filter(\.isSecret).flatMap(\.names)
            + SettingsTable.all.filter { !$0.isQuotable }.flatMap(\.names)
        let bad = ConfigurationLoader.load(environment: wrong.filter { sensitive.contains($0.key) })
        #expect(!bad.problems.isEmpty)
        #expect(!bad.everythingShown.contains(secret))
    }

    // MARK: Settings that go together

    @Test func `A process runs jobs, the API or both, and not neither`() throws {
        #expect(try loadConfiguration(["RUN_WORKERS": "false"]).checked().worker.role == .api)
        #expect(try loadConfiguration(["RUN_WORKERS": "true", "WORKER_MODE": "false"]).checked().worker.role == .any)
        let both = try loadConfiguration(["RUN_WORKERS": "false", "WORKER_MODE": "true"])
        #expect(both.problems.map(\.place) == ["WORKER_MODE"])
        #expect(both.problems.first?.message.contains("RUN_WORKERS") == true)
    }

    @Test func `As many jobs run as are asked for of one kind, unless the whole is given`() throws {
        let alone = try loadConfiguration(["MAX_CONCURRENT_JOBS": "6"])
        #expect(try alone.checked().worker.concurrency == 6)
        #expect(alone.setting("worker.concurrency")?.origin == .environment("MAX_CONCURRENT_JOBS"))
        #expect(try loadConfiguration(["MAX_CONCURRENT_JOBS": "2"]).checked().worker.concurrency == 4)
        let given = try loadConfiguration(["MAX_CONCURRENT_JOBS": "6", "WORKER_CONCURRENCY": "5"]).checked()
        #expect(given.worker.concurrency == 5 && given.worker.concurrencyPerKind == 6)
    }

    @Test func `Two listeners cannot have one port`() throws {
        let environment = ["KILN_HTTP": "true", "PORT": "8080", "ENABLE_HEALTH_CHECK": "true"]
        let clash = try loadConfiguration(environment)
        #expect(clash.problems.map(\.place) == ["PORT"])
        #expect(
            try loadConfiguration(environment.merging(["HEALTH_CHECK_PORT": "0", "PORT": "0"]) { $1 }).problems.isEmpty)
        // Without the API there is but one.
        #expect(try loadConfiguration(["PORT": "8080", "ENABLE_HEALTH_CHECK": "true"]).problems.isEmpty)
    }

    @Test func `Traces go where OpenTelemetry's variables say`() throws {
        let all = try loadConfiguration([
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_EXPORTER_OTLP_HEADERS": "a=1, b=x%2Cy",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "2500", "OTEL_SERVICE_NAME": "renderer",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=prod",
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": "0.25", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        ]).checked().telemetry
        #expect(all.exporter?.endpoint == (try HTTPURL("http://collector:4318/v1/traces")))
        #expect(all.exporter?.headers == [.init(name: "a", value: "1"), .init(name: "b", value: "x,y")])
        #expect(all.exporter?.timeout == .milliseconds(2500) && all.serviceName == "renderer")
        #expect(all.resourceAttributes == [.init(name: "deployment.environment", value: "prod")])
        #expect(all.sampling == .init(ratio: 0.25, followsParent: true))

        let own = try loadConfiguration([
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318/base/",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://traces:4318/x",
        ]).checked()
        #expect(own.telemetry.exporter?.endpoint == (try HTTPURL("http://traces:4318/x")))
        let endpoint = ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"]
        for off in [["OTEL_SDK_DISABLED": "true"], ["OTEL_TRACES_EXPORTER": "none"]] {
            #expect(try loadConfiguration(endpoint.merging(off) { $1 }).checked().telemetry.exporter == nil)
        }
        let grpc = try loadConfiguration(endpoint.merging(["OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"]) { $1 })
        #expect(grpc.problems.map(\.place) == ["OTEL_EXPORTER_OTLP_PROTOCOL"])
        // Who sends nothing may have it set for others.
        #expect(try loadConfiguration(["OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"]).problems.isEmpty)
    }

    @Test func `Stores are told what the file says as if the environment did`() throws {
        let yaml = """
            storage:
              r2:
                endpoint: https://account.r2.cloudflarestorage.com
                bucket: media
                accessKeyId: id
                secretAccessKey: key
            """
        let configuration = try loadConfiguration(yaml: yaml).checked()
        #expect(configuration.storage.defaultStore == .bucket("media"))
        #expect(configuration.storage.credentials?.credentials().accessKeyID == "id")
        let wrong = try loadConfiguration(yaml: "storage: {default: media}")
        let problem = try #require(wrong.problems.first)
        #expect(wrong.problems.count == 1 && problem.place.hasSuffix("kiln.yaml:1: storage.default"))
    }

    @Test func `Webhooks are signed with the bytes of each key`() throws {
        let bytes = (0..<32).map { UInt8($0) }
        let first = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
        let second = "//////////////////////////////////////////8="
        let configuration = try loadConfiguration(["KILN_WEBHOOK_SECRET": "\(first),\(second)"]).checked()
        #expect(configuration.webhooks.secrets == [bytes, [UInt8](repeating: 255, count: 32)])
        #expect(try loadConfiguration(["KILN_WEBHOOK_SECRET": "AAEC"]).problems.count == 1)
    }

    @Test func `Webhooks that come in need a key and kinds that there are`() throws {
        let key = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="
        let set = ["KILN_HOOK_SECRETS": "whsec_\(key)", "KILN_HOOK_KINDS": "media.probe, media.transcode"]
        let loaded = try loadConfiguration(set)
        let hooks = try loaded.checked().hooks
        #expect(hooks.secrets == [[UInt8](repeating: 7, count: 32)])
        #expect(hooks.kinds == ["media.probe", "media.transcode"] && !loaded.everythingShown.contains(key))
        #expect(try loadConfiguration([:]).checked().hooks.kinds.isEmpty)

        let keyless = try loadConfiguration(["KILN_HOOK_KINDS": "media.probe"])
        #expect(keyless.problems.map(\.place) == ["KILN_HOOK_KINDS"])
        #expect(keyless.problems.first?.message.contains("KILN_HOOK_SECRETS") == true)
        for (kind, answer) in [("media.prob", "did you mean media.probe?"), ("webhook.deliver", "there are media.")] {
            let unknown = try loadConfiguration(set.merging(["KILN_HOOK_KINDS": kind]) { $1 })
            #expect(unknown.problems.map(\.place) == ["KILN_HOOK_KINDS"])
            #expect(unknown.problems.first?.message.contains(answer) == true, "\(unknown.problems)")
        }
    }

    @Test func `URLs of jobs may lead where the settings let them`() throws {
        let guarding = try loadConfiguration([
            "KILN_ALLOWED_HOSTS": "minio.internal,*.media.internal", "KILN_ALLOWED_NETWORKS": "10.20.0.0/16",
            "KILN_DENIED_NETWORKS": "203.0.113.0/24", "KILN_PLAIN_HTTP": "no", "KILN_ONLY_HOSTS": "cdn.example.com",
        ]).checked().network.guarding
        #expect(
            guarding
                == AddressGuard(
                    allowedNetworks: [IPNetwork("10.20.0.0/16")].compactMap { $0 },
                    deniedNetworks: [IPNetwork("203.0.113.0/24")].compactMap { $0 },
                    allowedHosts: ["minio.internal", "*.media.internal"], onlyHosts: ["cdn.example.com"],
                    allowsPlainHTTP: false))
        #expect(try loadConfiguration(["KILN_ALLOWED_HOSTS": "http://minio"]).problems.count == 1)
    }
}
