import ArgumentParser

/// How much of a list is shown.
struct ListLength: ParsableArguments {
    @Option(help: "So many at most, 1 to 10,000.")
    var limit = 50

    func validate() throws {
        guard (1...10_000).contains(limit) else { throw ValidationError("--limit must be 1 to 10000.") }
    }
}
