/// Something to look at before it fails in the night.
protocol DoctorCheck: Sendable {
    /// One word.
    var name: String { get }

    /// Looks. What it throws counts as wrong, with what the error says.
    func run(_ context: DoctorContext) async throws -> [DoctorFinding]
}

/// What checks are told.
struct DoctorContext: Sendable {
    var loaded: LoadedConfiguration

    /// Good as far as no problem touches it.
    var configuration: WorkerConfiguration { loaded.value }

    /// The database's URL, if there is one that can be read.
    var databaseURL: String? {
        let url = configuration.database.url
        return url.isEmpty ? nil : url
    }
}

/// What a check has found.
struct DoctorFinding: Sendable, Equatable, Codable {
    enum Verdict: String, Sendable, Codable, CaseIterable {
        /// As it should be.
        case ok
        /// Not looked at, as something else is missing first.
        case skipped
        /// A worker can live with it, and somebody should know.
        case note
        /// Jobs will fail.
        case wrong

        /// How grave it is.
        var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    var verdict: Verdict
    /// What was found, in words.
    var text: String
    /// What to do about it.
    var remedy: String?

    static func ok(_ text: String) -> DoctorFinding { DoctorFinding(verdict: .ok, text: text) }
    static func skipped(_ text: String) -> DoctorFinding { DoctorFinding(verdict: .skipped, text: text) }
    static func note(_ text: String, _ remedy: String? = nil) -> DoctorFinding {
        DoctorFinding(verdict: .note, text: text, remedy: remedy)
    }
    static func wrong(_ text: String, _ remedy: String? = nil) -> DoctorFinding {
        DoctorFinding(verdict: .wrong, text: text, remedy: remedy)
    }
}
