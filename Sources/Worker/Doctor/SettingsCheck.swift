/// Whether the settings can be used.
struct SettingsCheck: DoctorCheck {
    let name = "settings"

    func run(_ context: DoctorContext) async throws -> [DoctorFinding] {
        let loaded = context.loaded
        let findings =
            loaded.problems.map { DoctorFinding.wrong($0.description) }
            + loaded.warnings.map { DoctorFinding.note($0) }
        guard findings.isEmpty else { return findings }
        let given = loaded.settings.count { $0.origin != .fallback }
        return [.ok("\(given) given, \(loaded.settings.count - given) by default; \"kiln config\" shows them")]
    }
}
