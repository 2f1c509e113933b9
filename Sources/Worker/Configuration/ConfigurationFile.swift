import Configuration
import MediaKit
import Yams

/// A file of settings in YAML: sections, and in them settings, whose values are scalars or lists of scalars.
///
/// ```yaml
/// worker:
///   concurrency: 8
///   kinds: [media.transcode, media.probe]
/// ```
struct ConfigurationFile {
    let path: String
    /// What is wrong with it as a file. Values are not looked at.
    private(set) var problems: [ConfigurationProblem] = []
    /// The values, as swift-configuration reads them.
    private var snapshot: YAMLSnapshot?
    /// The lines, from 1, of the settings that are given.
    private var lines: [String: Int] = [:]

    /// Reads a file. It need not be there, or be YAML: that is a problem like any other.
    init(path: String) {
        self.path = path
        do {
            let bytes = try RequestFile.read(path)
            try read(bytes)
        } catch let error as YamlError {
            problems.append(Self.problem(error, path))
        } catch let error as MediaError {
            note(nil, "cannot be read: \(error.message)")
        } catch {
            // What swift-configuration says of a value, which it may repeat.
            if problems.isEmpty { note(nil, "is not made of sections with settings in them") }
        }
    }

    /// What the file says of a setting, and in which line; `nil` if nothing.
    func text(of key: String) -> (text: SettingText, line: Int)? {
        guard let snapshot, let line = lines[key] else { return nil }
        let place = AbsoluteConfigKey(key.split(separator: ".").map(String.init))
        if case .string(let text)? = try? snapshot.value(forKey: place, type: .string).value?.content {
            // Nothing behind the colon is nothing said.
            return text.trimmed.isEmpty ? nil : (.text(text.trimmed), line)
        }
        guard case .stringArray(let list)? = try? snapshot.value(forKey: place, type: .stringArray).value?.content
        else { return nil }
        return (.list(list), line)
    }

    private mutating func read(_ bytes: [UInt8]) throws {
        // `nil` for a file of nothing but comments.
        guard let root = try compose(yaml: String(decoding: bytes, as: UTF8.self)) else { return }
        guard let mapping = root.mapping else {
            note(root.mark?.line, "is not made of sections with settings in them")
            return
        }
        walk(mapping, below: [])
        snapshot = try YAMLSnapshot(data: bytes.span.bytes, providerName: path, parsingOptions: .default)
    }

    // MARK: Names

    private static let known = Dictionary(uniqueKeysWithValues: SettingsTable.all.map { ($0.key, $0) })
    /// "storage" and "storage.r2" for "storage.r2.bucket".
    private static let sections = Set(
        known.keys.flatMap { key -> [String] in
            let parts = key.split(separator: ".")
            return (1..<parts.count).map { parts[..<$0].joined(separator: ".") }
        })

    private mutating func walk(_ mapping: Node.Mapping, below parents: [String]) {
        for (key, value) in mapping {
            let parts = parents + [key.string ?? "?"]
            let name = parts.joined(separator: ".")
            let line = key.mark?.line
            if let inner = value.mapping {
                if Self.sections.contains(name) {
                    walk(inner, below: parts)
                } else if let setting = Self.known[name] {
                    note(line, "\(name) is a section: give \(setting.expected)")
                } else {
                    noteUnknown(name, line)
                }
            } else if Self.known[name] != nil {
                if let list = value.sequence, list.contains(where: { $0.scalar == nil }) {
                    note(line, "\(name) holds more than texts: give a list of them")
                } else if !Self.isNull(value) {
                    lines[name] = line ?? 0
                }
            } else if Self.sections.contains(name) {
                if !Self.isNull(value) {
                    note(line, "\(name) is a section: its settings stand below it, further to the right")
                }
            } else {
                noteUnknown(name, line)
            }
        }
    }

    private mutating func noteUnknown(_ name: String, _ line: Int?) {
        let last = name.split(separator: ".").last.map(String.init) ?? name
        let meant =
            SettingsTable.all.first { $0.names.contains(last) }?.key
            ?? NearestName.to(name, in: Array(Self.known.keys) + Self.sections)
            // Perhaps it is in the wrong section.
            ?? SettingsTable.all.first { $0.key.hasSuffix(".\(last)") }?.key
        let hint = meant.map { "did you mean \($0)?" } ?? #""kiln config" lists all settings"#
        note(line, "\(name.printable) is no setting; \(hint)")
    }

    private static func isNull(_ node: Node) -> Bool {
        guard let scalar = node.scalar, scalar.style == .plain || scalar.style == .any else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    private mutating func note(_ line: Int?, _ message: String) {
        problems.append(
            ConfigurationProblem(place: line.map { "\(path):\($0):" } ?? path, message: message))
    }

    // MARK: Errors

    /// What is wrong with the syntax, without the text around, which the error's own description shows.
    private static func problem(_ error: YamlError, _ path: String) -> ConfigurationProblem {
        func at(_ mark: Mark, _ problem: String) -> ConfigurationProblem {
            ConfigurationProblem(place: "\(path):\(mark.line):\(mark.column):", message: "this is not YAML: \(problem)")
        }
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return at(mark, problem)
        case .duplicatedKeysInMapping(let names, let context):
            return ConfigurationProblem(
                place: "\(path):\(context.mark.line):",
                message: "\(names.joined(separator: ", ").printable) is given twice in one section")
        case .reader(let problem, _, _, _):
            return ConfigurationProblem(place: path, message: "is not YAML: \(problem)")
        default:
            return ConfigurationProblem(place: path, message: "is not YAML")
        }
    }
}
