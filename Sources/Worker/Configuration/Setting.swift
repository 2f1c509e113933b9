/// One thing that can be set: what it is called, how it is written, and where its value goes.
struct Setting: Sendable {
    /// Its place in the YAML file: "worker.concurrency".
    let key: String
    /// Its names in the environment. The first one that is set counts.
    let names: [String]
    /// What is expected: "a whole number from 1 to 1024".
    let expected: String
    /// What holds without it, for people; it is not always a value.
    let fallback: String
    /// Whether it holds something that must not be shown.
    let isSecret: Bool
    /// One sentence for the documentation.
    let summary: String
    /// Whether a message may repeat what was given.
    let isQuotable: Bool
    /// Puts a value in its place; false where the text is not of the expected form.
    let take: @Sendable (SettingText, inout ConfigurationDraft) -> Bool
    /// The value in its place as it may be shown.
    let show: @Sendable (ConfigurationDraft) -> String

    /// - Parameters:
    ///   - place: where its value goes. What stands there in a new draft is its default.
    ///   - fallback: what to say of the default where the draft's own value does not say it.
    init<Value: Sendable>(
        _ key: String, _ names: String..., at place: any WritableKeyPath<ConfigurationDraft, Value> & Sendable,
        _ form: SettingForm<Value>, fallback: String? = nil, isSecret: Bool = false, _ summary: String
    ) {
        self.key = key
        self.names = names
        expected = form.expected
        self.isSecret = isSecret
        self.summary = summary
        isQuotable = form.isQuotable && !isSecret
        self.fallback = fallback ?? form.write(ConfigurationDraft()[keyPath: place])
        take = { text, draft in
            guard let value = form.read(text) else { return false }
            draft[keyPath: place] = value
            return true
        }
        show = { form.write($0[keyPath: place]) }
    }

    /// What to say to somebody who gave something else.
    func refusal(of text: SettingText, from origin: SettingOrigin) -> ConfigurationProblem {
        let quoted = isQuotable ? text.single.map { String($0.prefix(60)).printable } : nil
        let given = quoted.map { "is \"\($0)\"" } ?? "cannot be read"
        let isWord = fallback.contains(" ") || ["none", "unset", "all", "any"].contains(fallback)
        let otherwise = isRequired ? "" : isWord ? ", or leave it out" : ", or leave it out for \(fallback)"
        return ConfigurationProblem(place: origin.place(of: key), message: "\(given): give \(expected)\(otherwise)")
    }

    /// Whether nothing works without it.
    var isRequired: Bool { fallback == Self.required }

    /// The fallback of what has none.
    static let required = "required"
}

/// Where a value comes from.
enum SettingOrigin: Sendable, Equatable, CustomStringConvertible {
    /// A variable of this name.
    case environment(String)
    /// The file at a path, in a line from 1.
    case file(String, line: Int)
    /// Nobody said anything.
    case fallback

    /// For people, beside the setting's key.
    var description: String {
        switch self {
        case .environment(let name): name
        case .file(let path, let line): "\(path):\(line)"
        case .fallback: "default"
        }
    }

    /// What begins a sentence about the value of a setting.
    func place(of key: String) -> String {
        switch self {
        case .environment(let name): name
        case .file: "\(self): \(key)"
        case .fallback: key
        }
    }
}

/// Settings that belong together.
struct SettingsSection: Sendable {
    /// A heading.
    let title: String
    let settings: [Setting]

    init(_ title: String, @SettingsBuilder _ settings: () -> [Setting]) {
        self.title = title
        self.settings = settings()
    }
}

/// Lists settings one below the other; each is a statement of its own to the compiler, which would take long over all
/// of them at once.
@resultBuilder
enum SettingsBuilder {
    static func buildBlock(_ settings: Setting...) -> [Setting] { settings }
}
