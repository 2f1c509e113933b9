extension CaptionStyle: Decodable {
    private enum Key: String, CodingKey, CaseIterable {
        case fontFamily, fontSize, fontSizePixels, bold, italic
        case fillColor, fillOpacity, outlineColor, outlineOpacity, outlineWidth
        case shadowColor, shadowOpacity, shadowOffset
        case backgroundColor, backgroundOpacity, backgroundPadding
        case alignment, safeArea, marginHorizontal, marginVertical
        case maximumWidth, lineWrapping, maximumLines
    }

    /// - Throws: `MediaError.badRequest` naming the key that is unknown, of the wrong type or out of range.
    public init(from decoder: any Swift.Decoder) throws {
        let names = Key.allCases.map(\.rawValue)
        if let key = try decoder.unknownKey(besides: names) {
            let nearest = NearestName.of(key.stringValue, in: names)
            throw MediaError(
                .badRequest, "caption style: unknown key “\(key.stringValue)”", hint: "did you mean “\(nearest)”?")
        }
        let fields = try decoder.container(keyedBy: Key.self)
        func read<Value: Decodable>(_ key: Key, into field: inout Value) throws {
            if let value = try Self.value(Value.self, key, fields) { field = value }
        }
        func read<Value: Decodable>(_ key: Key, into field: inout Value?) throws {
            if let value = try Self.value(Value.self, key, fields) { field = value }
        }
        self.init()
        try read(.fontFamily, into: &fontFamily)
        try read(.fontSize, into: &fontSize)
        try read(.fontSizePixels, into: &fontSizePixels)
        try read(.bold, into: &bold)
        try read(.italic, into: &italic)
        try read(.fillColor, into: &fillColor)
        try read(.fillOpacity, into: &fillOpacity)
        try read(.outlineColor, into: &outlineColor)
        try read(.outlineOpacity, into: &outlineOpacity)
        try read(.outlineWidth, into: &outlineWidth)
        try read(.shadowColor, into: &shadowColor)
        try read(.shadowOpacity, into: &shadowOpacity)
        try read(.shadowOffset, into: &shadowOffset)
        try read(.backgroundColor, into: &backgroundColor)
        try read(.backgroundOpacity, into: &backgroundOpacity)
        try read(.backgroundPadding, into: &backgroundPadding)
        try read(.alignment, into: &alignment)
        try read(.safeArea, into: &safeArea)
        try read(.marginHorizontal, into: &marginHorizontal)
        try read(.marginVertical, into: &marginVertical)
        try read(.maximumWidth, into: &maximumWidth)
        try read(.lineWrapping, into: &lineWrapping)
        try read(.maximumLines, into: &maximumLines)
        try validate()
    }

    /// Reads one field; `nil` where it is missing or null.
    private static func value<Value: Decodable>(
        _ type: Value.Type, _ key: Key, _ fields: KeyedDecodingContainer<Key>
    ) throws -> Value? {
        do {
            return try fields.decodeIfPresent(type, forKey: key)
        } catch var error as MediaError {
            error.message = "caption style: \(key.rawValue): \(error.message)"
            throw error
        } catch {
            throw MediaError(
                .badRequest, "caption style: \(key.rawValue) must be \(expected(type))", cause: error)
        }
    }

    private static func expected<Value>(_ type: Value.Type) -> String {
        switch type {
        case is Bool.Type: "true or false"
        case is Int.Type: "a whole number"
        case is Double.Type: "a number"
        case is LineWrapping.Type:
            "one of " + LineWrapping.allCases.map { "“\($0.rawValue)”" }.joined(separator: ", ")
        default: "a text"
        }
    }
}
