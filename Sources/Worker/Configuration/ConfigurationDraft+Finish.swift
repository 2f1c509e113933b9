import Transfer

extension ConfigurationDraft {
    /// Puts together what settings mean only together, and looks for what does not go together.
    ///
    /// - Parameters:
    ///   - origins: of the settings that were given, by key. What one setting makes of another is entered.
    ///   - environment: all variables, for what the stores read besides the settings.
    mutating func finish(
        origins: inout [String: SettingOrigin], environment: [String: String]
    ) -> [ConfigurationProblem] {
        var problems: [ConfigurationProblem] = []
        func place(_ key: String) -> String { (origins[key] ?? .fallback).place(of: key) }

        if origins["database.url"] == nil { problems.append(Self.missingDatabase(environment)) }

        switch (runsJobsOnly, runsJobs) {
        case (true, true): value.worker.role = .jobs
        case (false, false): value.worker.role = .api
        case (false, true): value.worker.role = .any
        case (true, false):
            problems.append(
                ConfigurationProblem(
                    place: place("worker.jobsOnly"),
                    message: "and \(place("worker.enabled")) exclude each other: the one says to run nothing but jobs, "
                        + "the other to run none; leave one out"))
        }

        // Who says no more than how many jobs of a kind may run means them to run.
        if let perKind = value.worker.concurrencyPerKind, origins["worker.concurrency"] == nil,
            perKind > value.worker.concurrency
        {
            value.worker.concurrency = perKind
            origins["worker.concurrency"] = origins["worker.concurrencyPerKind"]
        }

        if value.http.isEnabled, value.health.isEnabled, value.http.port != 0, value.http.port == value.health.port {
            problems.append(
                ConfigurationProblem(
                    place: place("http.port"),
                    message: "and \(place("health.port")) are both \(value.http.port): give one of them another port"))
        }
        if value.http.corsOrigins.count > 1, value.http.corsOrigins.contains("*") {
            problems.append(
                ConfigurationProblem(
                    place: place("http.corsOrigins"),
                    message: "holds * and other origins: give * alone, or leave it out"))
        }

        // Messages about jobs are the queue's own to make.
        problems += ConfigurationProblem.unknownKinds(
            in: value.hooks.kinds, at: place("hooks.kinds"), known: JobKinds.work)
        if !value.hooks.kinds.isEmpty, value.hooks.secrets.isEmpty {
            problems.append(
                ConfigurationProblem(
                    place: place("hooks.kinds"),
                    message:
                        "is given and KILN_HOOK_SECRETS is not, so that no webhook could be verified: give the key "
                        + "that its sender signs with"))
        }

        problems += providerProblems(place)
        problems += finishTraces(place)
        problems += finishStorage(place, environment)
        return problems
    }

    private static func missingDatabase(_ environment: [String: String]) -> ConfigurationProblem {
        let example = "set it to postgresql://user:password@host:5432/database"
        guard environment["REDIS_URL"]?.trimmed.isEmpty == false else {
            return ConfigurationProblem(place: "DATABASE_URL", message: "is not set: \(example)")
        }
        return ConfigurationProblem(
            place: "DATABASE_URL",
            message: """
                is not set, and REDIS_URL is of no use here: Kiln's queue is a schema in Postgres, so that jobs are \
                enqueued in the app's own transactions; \(example), and run "kiln migrate" once
                """)
    }

    /// What jobs that ask services would each find out by themselves.
    private func providerProblems(_ place: (String) -> String) -> [ConfigurationProblem] {
        let providers = value.providers
        var problems: [ConfigurationProblem] = []
        if value.worker.role != .api, let name = ServiceProviders.missingChatKey(providers) {
            problems.append(
                ConfigurationProblem(
                    place: place("chat.service"),
                    message:
                        "is \(providers.chat.service.rawValue), and \(name) is not set: give the key, or auto or none "
                        + "to do without"))
        }
        // It becomes part of keys in the store.
        if let account = providers.twilio.accountSID, !TwilioSID.isOne(account, "AC") {
            problems.append(
                ConfigurationProblem(
                    place: place("twilio.accountSID"),
                    message: "is no account's SID: give the one that Twilio shows, AC and 32 digits"))
        }
        return problems
    }

    private mutating func finishTraces(_ place: (String) -> String) -> [ConfigurationProblem] {
        value.telemetry.sampling =
            switch traces.sampler {
            case .alwaysOn: .init(ratio: 1, followsParent: false)
            case .alwaysOff: .init(ratio: 0, followsParent: false)
            case .ratio: .init(ratio: traces.ratio, followsParent: false)
            case .parentbasedAlwaysOn: .init(ratio: 1, followsParent: true)
            case .parentbasedAlwaysOff: .init(ratio: 0, followsParent: true)
            case .parentbasedRatio: .init(ratio: traces.ratio, followsParent: true)
            }
        guard !traces.isDisabled, traces.exporter == .otlp else { return [] }
        var endpoint = traces.tracesEndpoint
        if endpoint == nil, var base = traces.endpoint {
            base.path += base.path.hasSuffix("/") ? "v1/traces" : "/v1/traces"
            endpoint = base
        }
        guard let endpoint else { return [] }
        guard traces.wireProtocol != .grpc else {
            return [
                ConfigurationProblem(
                    place: place("telemetry.protocol"),
                    message: "is grpc, and Kiln sends traces as JSON over HTTP: give http/json, and an endpoint for "
                        + "OTLP over HTTP (a collector's port 4318)")
            ]
        }
        value.telemetry.exporter = .init(endpoint: endpoint, headers: traces.headers, timeout: traces.timeout)
        return []
    }

    private mutating func finishStorage(
        _ place: (String) -> String, _ environment: [String: String]
    ) -> [ConfigurationProblem] {
        let settings = SettingsTable.storage.settings
        var variables = environment
        for name in settings.flatMap(\.names) { variables[name] = nil }
        variables.merge(storage) { $1 }
        let read = StorageSettings.read(variables)
        value.storage = read.settings
        return read.problems.map { problem in
            let key = settings.first { $0.names.contains(problem.name) }?.key
            let isGiven = storage[problem.name] != nil
            return ConfigurationProblem(
                place: isGiven ? key.map(place) ?? problem.name : problem.name, message: problem.message)
        }
    }
}
