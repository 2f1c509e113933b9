/// Reads settings and checks all of them.
enum ConfigurationLoader {
    /// - Parameters:
    ///   - environment: variables by name.
    ///   - path: of a file in YAML; `nil` for none.
    static func load(environment: [String: String], file path: String? = nil) -> LoadedConfiguration {
        let file = path.map { ConfigurationFile(path: $0) }
        let sources = SettingSources(environment: environment, file: file)
        var problems = file?.problems ?? []
        var draft = ConfigurationDraft()
        var origins: [String: SettingOrigin] = [:]
        var refused: Set<String> = []
        for setting in SettingsTable.all {
            guard let given = sources.text(of: setting) else { continue }
            origins[setting.key] = given.origin
            if !setting.take(given.text, &draft) {
                refused.insert(setting.key)
                problems.append(setting.refusal(of: given.text, from: given.origin))
            }
        }
        problems += draft.finish(origins: &origins, environment: environment)
        let settings = SettingsTable.all.map { setting in
            let origin = origins[setting.key] ?? .fallback
            let hasValue = !refused.contains(setting.key) && !(setting.isRequired && origin == .fallback)
            return EffectiveSetting(
                key: setting.key, names: setting.names, value: hasValue ? setting.show(draft) : "?", origin: origin,
                isSecret: setting.isSecret)
        }
        return LoadedConfiguration(
            value: draft.value, settings: settings, warnings: unknownVariables(environment), problems: problems)
    }

    /// Variables that look as if they were meant for Kiln.
    private static func unknownVariables(_ environment: [String: String]) -> [String] {
        let known = Set(SettingsTable.all.flatMap(\.names)).union(SettingsTable.otherVariables)
        return environment.filter { name, value in
            name.hasPrefix("KILN_") && !known.contains(name) && !name.hasPrefix("KILN_TEST_")
                && !ServiceLinks.isOne(name, value)
        }.keys.sorted().map { name in
            let meant = NearestName.to(name, in: known).map { "; did you mean \($0)?" } ?? ""
            return "\(name.printable) is no setting and does nothing\(meant)"
        }
    }
}

/// Settings as they are in effect, with all that is to be said about them.
struct LoadedConfiguration: Sendable {
    /// What could be read; the rest is as by default. Good for work only if there is no problem.
    var value: WorkerConfiguration
    /// Each setting, in the order of the documentation.
    var settings: [EffectiveSetting]
    /// What does no harm and is probably not meant.
    var warnings: [String]
    var problems: [ConfigurationProblem]

    /// The configuration, if nothing is wrong with it.
    ///
    /// - Throws: ``ConfigurationFailure`` with all that is wrong.
    func checked() throws(ConfigurationFailure) -> WorkerConfiguration {
        guard problems.isEmpty else { throw ConfigurationFailure(problems: problems) }
        return value
    }
}

/// A setting as it is in effect.
struct EffectiveSetting: Sendable, Equatable {
    var key: String
    /// The environment's.
    var names: [String]
    /// As it may be shown: secrets are masked. "?" where there is none that can be used.
    var value: String
    var origin: SettingOrigin
    var isSecret: Bool
}
