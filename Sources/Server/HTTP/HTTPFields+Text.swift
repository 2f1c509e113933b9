import HTTPTypes

extension HTTPFields {
    /// The first value under a name; setting replaces all of that name.
    subscript(text name: String) -> String? {
        get { HTTPField.Name(name).flatMap { self[values: $0].first } }
        set {
            guard let name = HTTPField.Name(name) else { return }
            self[name] = newValue
        }
    }
}
