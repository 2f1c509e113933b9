/// Something about the settings that cannot stand, and what to do about it.
struct ConfigurationProblem: Sendable, Equatable, CustomStringConvertible {
    /// Where it is: a variable's name, or a file's and the setting's.
    var place: String
    /// Goes on behind the place. Holds nothing secret.
    var message: String

    var description: String { "\(place) \(message)" }

    /// One for each name that is not among `known`.
    static func unknownKinds(
        in names: [String], at place: String, known: [any JobKind.Type]
    ) -> [ConfigurationProblem] {
        let known = known.map { $0.name }
        return names.filter { !known.contains($0) }.map { name in
            let meant = NearestName.to(name, in: known).map { "did you mean \($0)?" }
            return ConfigurationProblem(
                place: place,
                message: "names \(name.printable), which is no kind of job; "
                    + (meant ?? "there are \(known.joined(separator: ", "))"))
        }
    }
}

/// Settings with which nothing can begin: all that is wrong with them.
struct ConfigurationFailure: ReportableError, CustomStringConvertible {
    /// One at least.
    let problems: [ConfigurationProblem]

    var description: String {
        guard problems.count > 1 else { return problems.first?.description ?? "the settings cannot be used" }
        return "the settings have \(problems.count) problems:"
            + problems.map { "\n  - \($0)" }.joined()
    }

    /// Prints all of them.
    func report() -> ExitStatus {
        // Each on its line: what is quoted was made printable where it was.
        Console.error.write("kiln: \(self)\n")
        return .configuration
    }
}
