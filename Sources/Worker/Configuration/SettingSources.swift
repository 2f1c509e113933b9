import Configuration

/// Where settings are looked for: first in the environment, then in a file.
struct SettingSources {
    private let environment: EnvironmentVariablesProvider
    let file: ConfigurationFile?

    init(environment: [String: String], file: ConfigurationFile?) {
        let secrets = SettingsTable.all.filter(\.isSecret).flatMap(\.names)
        self.environment = EnvironmentVariablesProvider(
            environmentVariables: environment, secretsSpecifier: .specific(Set(secrets)))
        self.file = file
    }

    /// What is said about a setting, and by whom; `nil` if nobody says anything. A variable without text says nothing.
    func text(of setting: Setting) -> (text: SettingText, origin: SettingOrigin)? {
        for name in setting.names {
            if let text = variable(name) { return (.text(text), .environment(name)) }
        }
        guard let file, let given = file.text(of: setting.key) else { return nil }
        return (given.text, .file(file.path, line: given.line))
    }

    private func variable(_ name: String) -> String? {
        // The provider writes keys in capitals.
        let key = AbsoluteConfigKey([name.lowercased()])
        guard case .string(let text)? = try? environment.value(forKey: key, type: .string).value?.content else {
            return nil
        }
        let trimmed = text.trimmed
        return trimmed.isEmpty || ServiceLinks.isOne(name, trimmed) ? nil : trimmed
    }
}

/// Variables that Kubernetes makes for each service of a namespace: a service `kiln-http` makes
/// `KILN_HTTP_PORT=tcp://10.0.0.1:80`, which is not what anybody has set.
/// https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables
enum ServiceLinks {
    static func isOne(_ name: String, _ value: String) -> Bool {
        if name.hasSuffix("_SERVICE_HOST") || name.contains("_SERVICE_PORT") { return true }
        return name.contains("_PORT") && ["tcp://", "udp://", "sctp://"].contains { value.hasPrefix($0) }
            || ["_TCP", "_UDP", "_SCTP"].contains { name.contains("_PORT_") && name.contains($0) }
    }
}
