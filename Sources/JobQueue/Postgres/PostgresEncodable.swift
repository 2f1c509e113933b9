package import Foundation

/// A value that can be a parameter of a statement. nil is NULL.
package protocol PostgresEncodable: Sendable {
    /// Appends the value as one parameter. One that cannot be sent notes a failure, which running the statement throws.
    func encode(into parameters: inout PostgresParameters)
}

extension Bool: PostgresEncodable {
    package func encode(into parameters: inout PostgresParameters) { parameters.appendText((self ? "t" : "f").utf8) }
}

extension Int: PostgresEncodable {
    package func encode(into parameters: inout PostgresParameters) { parameters.appendText(description.utf8) }
}

extension Int64: PostgresEncodable {
    package func encode(into parameters: inout PostgresParameters) { parameters.appendText(description.utf8) }
}

extension Double: PostgresEncodable {
    package func encode(into parameters: inout PostgresParameters) { parameters.appendText(postgresText.utf8) }

    /// The shortest text that gives the same value again.
    var postgresText: String {
        if isNaN { return "NaN" }
        if isInfinite { return self < 0 ? "-Infinity" : "Infinity" }
        return description
    }
}

extension String: PostgresEncodable {
    package func encode(into parameters: inout PostgresParameters) { parameters.appendText(utf8) }
}

extension UUID: PostgresEncodable {
    package func encode(into parameters: inout PostgresParameters) {
        parameters.appendBinary(PostgresType.uuid) { appendElement(to: &$0) }
    }
}

/// A `timestamptz`, to the microsecond. `distantFuture` and `distantPast` are infinity and -infinity.
extension Date: PostgresEncodable {
    package func encode(into parameters: inout PostgresParameters) {
        parameters.appendBinary(PostgresType.timestamptz) { appendElement(to: &$0) }
    }

    var postgresMicroseconds: Int64 {
        if self == .distantFuture { return .max }
        if self == .distantPast { return .min }
        // From 2001, Date's own epoch, whose numbers are the most exact; 366 days after Postgres's.
        let microseconds = (timeIntervalSinceReferenceDate * 1e6).rounded()
        let limit = 9.0e18
        return Int64(min(max(microseconds, -limit), limit)) + 366 * 86_400 * 1_000_000
    }
}

/// An `interval` of microseconds, without days or months.
extension Duration: PostgresEncodable {
    package func encode(into parameters: inout PostgresParameters) {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        let microseconds = overflow ? (seconds < 0 ? Int64.min : .max) : whole + attoseconds / 1_000_000_000_000
        parameters.appendBinary(PostgresType.interval) {
            $0.appendBigEndian(microseconds)
            $0.appendBigEndian(Int32(0))
            $0.appendBigEndian(Int32(0))
        }
    }
}

extension PostgresJSON: PostgresEncodable {
    package func encode(into parameters: inout PostgresParameters) { parameters.appendText(bytes) }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    package func encode(into parameters: inout PostgresParameters) {
        if let self { self.encode(into: &parameters) } else { parameters.appendNull() }
    }
}
