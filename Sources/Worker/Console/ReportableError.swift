/// An error that tells the user in its own way, such as one with several lines.
protocol ReportableError: Error {
    /// Prints it, unless that was done before, and tells the exit code.
    func report() -> ExitStatus
}
