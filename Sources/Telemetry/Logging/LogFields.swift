import Logging

/// The metadata of one record, sorted by name. The statement's own stand before what a provider knows, and that before
/// the logger's.
struct LogFields {
    private(set) var fields: [(name: String, value: Logger.MetadataValue)] = []

    init(logger: Logger.Metadata, provider: Logger.MetadataProvider?, statement: Logger.Metadata?) {
        let statement = statement ?? [:]
        let provided = provider?.get() ?? [:]
        fields.reserveCapacity(statement.count + provided.count + logger.count)
        for (name, value) in statement { fields.append((name, value)) }
        for (name, value) in provided where statement[name] == nil { fields.append((name, value)) }
        for (name, value) in logger where statement[name] == nil && provided[name] == nil {
            fields.append((name, value))
        }
        fields.sort { $0.name < $1.name }
    }

    /// Removes a field and returns its value.
    mutating func take(_ name: String) -> Logger.MetadataValue? {
        guard let index = fields.firstIndex(where: { $0.name == name }) else { return nil }
        return fields.remove(at: index).value
    }
}

/// The longest message or value that is logged, in bytes of UTF-8. What reads logs splits or drops longer lines.
let longestLogText = 16 << 10
