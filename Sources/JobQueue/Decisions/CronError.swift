/// Why a cron expression or its time zone was refused.
///
/// `description` names the expression, the field and the part that is wrong, and says what is allowed there.
public struct CronError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A part of an expression. The raw value is its name in messages.
    public enum Field: String, Sendable, Hashable, CaseIterable {
        /// Of six fields the first.
        case second
        /// 0 to 59.
        case minute
        /// 0 to 23.
        case hour
        /// 1 to 31, and `L`.
        case dayOfMonth = "day of month"
        /// 1 to 12, and names.
        case month
        /// 0 to 7, and names.
        case dayOfWeek = "day of week"
    }

    /// The expression (or time zone) as it was given.
    public let input: String
    /// The field that is wrong; nil when it is the expression as a whole.
    public let field: Field?
    /// What is wrong and what to write instead.
    public let message: String

    init(_ input: String, _ field: Field?, _ message: String) {
        self.input = input
        self.field = field
        self.message = message
    }

    public var description: String {
        // Cut short: the expression comes from anywhere, the message goes to logs.
        let shown = input.count > 100 ? input.prefix(100) + "…" : input[...]
        let place = field.map { ", field '\($0.rawValue)'" } ?? ""
        return "cron '\(shown)'\(place): \(message)"
    }
}
