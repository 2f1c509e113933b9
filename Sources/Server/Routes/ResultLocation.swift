import JobQueue
import Transfer

/// Finds where the file is that a job has made, in what the handler of a kind that makes files returned: under `outputs`, `output` or at the
/// top, as `url`, `location` or `key`, or as the text itself.
enum ResultLocation {
    /// - Parameter index: which of several.
    static func find(in result: JSONValue, index: Int = 0) -> ObjectLocation? {
        var candidates: [JSONValue] = []
        if let outputs = result.member("outputs")?.elements {
            guard outputs.indices.contains(index) else { return nil }
            candidates.append(outputs[index])
        } else {
            guard index == 0 else { return nil }
            if let output = result.member("output") { candidates.append(output) }
            candidates.append(result)
        }
        return candidates.lazy.compactMap(location).first
    }

    private static func location(_ value: JSONValue) -> ObjectLocation? {
        if let text = value.string { return try? ObjectLocation(text) }
        for name in ["url", "location"] {
            if let text = value.member(name)?.string, let found = try? ObjectLocation(text) { return found }
        }
        return value.member("key")?.string.map { .store(key: $0) }
    }
}
