/// What a form has sent: `application/x-www-form-urlencoded`.
/// https://url.spec.whatwg.org/#application/x-www-form-urlencoded
struct FormBody: Sendable {
    static let type = "application/x-www-form-urlencoded"

    /// In the order in which they came; a name may come several times.
    let items: [(name: String, value: String)]

    /// - Throws: ``Problem`` 400 for what is not UTF-8, or holds a NUL.
    init(_ bytes: [UInt8]) throws(Problem) {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .badRequest("the form is not UTF-8")
        }
        do { items = try PercentDecoding.query(text) } catch {
            throw .badRequest("the form holds percent-encoding that is not UTF-8, or a NUL")
        }
    }

    /// The first value of a name; nil where it is empty, too.
    subscript(name: String) -> String? {
        items.first { $0.name == name }.flatMap { $0.value.isEmpty ? nil : $0.value }
    }

    static func isForm(_ contentType: String?) -> Bool {
        contentType.map { $0.prefix { $0 != ";" }.lowercased().trimmingSpaces } == type
    }
}
