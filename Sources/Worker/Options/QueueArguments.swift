public import ArgumentParser
import FoundationEssentials
public import JobQueue

extension JobState: ExpressibleByArgument {}
extension ParentFailure: ExpressibleByArgument {}
extension Unique.OnDuplicate: ExpressibleByArgument {}
extension MissedTicks: ExpressibleByArgument {}

/// The id of a job or workflow.
struct Identifier: ExpressibleByArgument {
    var value: UUID

    init?(argument: String) {
        guard let value = UUID(uuidString: argument) else { return nil }
        self.value = value
    }
}

/// A length of time: "90", "90s", "1h30m", "500ms", "2d".
struct Span: ExpressibleByArgument, Equatable {
    var value: Duration

    init?(argument: String) {
        let units: [String: Double] = ["": 1, "ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400]
        var rest = argument[...]
        var seconds = 0.0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(digits.count)
            let name = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(name.count)
            // A number alone is seconds, and stands alone.
            guard let number = Double(digits), let unit = units[String(name)], !name.isEmpty || digits == argument
            else { return nil }
            seconds += number * unit
        }
        guard seconds.isFinite, seconds < 1e11 else { return nil }
        value = .microseconds(Int64((seconds * 1e6).rounded()))
    }

    var seconds: Double { value / .seconds(1) }
}

/// A moment: "2026-03-01T12:00Z", with its offset from UTC.
struct Moment: ExpressibleByArgument, Equatable {
    var value: Date

    init?(argument: String) {
        guard let value = QueueJSON.date(from: argument) else { return nil }
        self.value = value
    }
}

/// Starts per length of time: "100/1m", "5/s".
struct RateArgument: ExpressibleByArgument, Equatable {
    var value: QueueLimits.Rate

    init?(argument: String) {
        let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[1].isEmpty, let limit = Int(parts[0]) else { return nil }
        // "5/s" is "5/1s".
        let interval = parts[1].first?.isNumber == true ? String(parts[1]) : "1\(parts[1])"
        guard let span = Span(argument: interval) else { return nil }
        value = QueueLimits.Rate(limit, per: span.value)
    }
}

/// JSON on the command line: itself, @FILE, or - for standard input.
struct JSONArgument {
    /// - Parameter name: what it is, for the message.
    /// - Throws: `badRequest` with the place where it stops being JSON; `MediaError` if it cannot be read.
    static func read(_ argument: String, name: String) throws -> RawJSON {
        let bytes: [UInt8]
        var origin = name
        if argument == "-" {
            bytes = try RequestFile.read("-")
            origin = "\(name) (standard input)"
        } else if argument.hasPrefix("@") {
            bytes = try RequestFile.read(String(argument.dropFirst()))
            origin = "\(name) (\(argument.dropFirst()))"
        } else {
            bytes = Array(argument.utf8)
        }
        if let problem = JSONSyntax.problem(in: bytes) {
            throw QueueError(
                .badRequest, "\(origin) is not valid JSON: \(problem)",
                hint: "give JSON in quotes of the shell, '{\"key\": 1}', @FILE, or - for standard input")
        }
        return RawJSON(Data(bytes))
    }
}
