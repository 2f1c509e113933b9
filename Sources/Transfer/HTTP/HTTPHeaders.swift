/// The header fields of a request or an answer, in order. Names are compared without regard to case.
public struct HTTPHeaders: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    /// Name and value of each field, as they were given.
    public private(set) var fields: [Field]

    /// A name and a value. What would break a request apart is refused when it is sent, with `badRequest`.
    public struct Field: Sendable, Hashable {
        /// Compared without regard to case, and sent as it is.
        public var name: String
        /// A list in it stays one text, commas and all.
        public var value: String
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Keeps the order; a name may come more than once.
    public init(_ fields: [Field] = []) { self.fields = fields }

    public init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { Field(name: $0.0, value: $0.1) }
    }

    /// The first value under a name; setting replaces all of that name, and `nil` removes them.
    public subscript(name: String) -> String? {
        get { fields.first { $0.name.isEqualIgnoringCase(to: name) }?.value }
        set {
            let first = fields.firstIndex { $0.name.isEqualIgnoringCase(to: name) }
            guard let newValue else { return remove(name) }
            guard let first else { return fields.append(Field(name: name, value: newValue)) }
            fields[first].value = newValue
            let kept = fields[...first]
            fields = kept + fields[(first + 1)...].filter { !$0.name.isEqualIgnoringCase(to: name) }
        }
    }

    /// All values under a name, in order.
    public func values(_ name: String) -> [String] {
        fields.filter { $0.name.isEqualIgnoringCase(to: name) }.map(\.value)
    }

    /// Appends a field, beside any other of that name.
    public mutating func add(_ name: String, _ value: String) { fields.append(Field(name: name, value: value)) }

    /// Removes all fields of a name.
    public mutating func remove(_ name: String) { fields.removeAll { $0.name.isEqualIgnoringCase(to: name) } }

    /// - Throws: ``TransferError`` with code `badRequest` for a field that would break the request apart.
    func validate() throws(TransferError) {
        for field in fields {
            guard !field.name.isEmpty, field.name.utf8.allSatisfy(\.isHTTPTokenCharacter) else {
                throw TransferError(.badRequest, "a header's name is not one", mayHaveTakenEffect: false)
            }
            // RFC 9110, §5.5: no control characters but the tab.
            guard field.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                throw TransferError(
                    .badRequest, "the value of the header \(field.name) holds a control character",
                    mayHaveTakenEffect: false)
            }
        }
    }
}

extension StringProtocol {
    /// Compares as HTTP does: ASCII letters without regard to case.
    func isEqualIgnoringCase(to other: some StringProtocol) -> Bool {
        utf8.count == other.utf8.count && zip(utf8, other.utf8).allSatisfy { $0.asciiLowercased == $1.asciiLowercased }
    }
}

extension UInt8 {
    var asciiLowercased: UInt8 { self >= UInt8(ascii: "A") && self <= UInt8(ascii: "Z") ? self | 0x20 : self }
}
