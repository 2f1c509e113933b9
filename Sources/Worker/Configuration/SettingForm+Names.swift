import FoundationEssentials
import JobQueue
import Logging
import Transfer

/// Forms of what has a meaning of its own: URLs, hosts, keys.
extension SettingForm where Value == String {
    /// What libpq takes. Shown without the password.
    static var database: SettingForm {
        SettingForm("postgresql://user:password@host:5432/database, or host=… user=… dbname=…", isQuotable: false) {
            text in
            text.single.flatMap { (try? PostgresSettings($0)) == nil ? nil : $0 }
        } write: { url in
            (try? PostgresSettings(url))?.description ?? mask
        }
    }

    /// A URL that is checked elsewhere; shown without what may be secret in it.
    static var urlText: SettingForm {
        SettingForm("an http or https URL", isQuotable: false) {
            $0.single
        } write: { text in
            (try? HTTPURL(text))?.description ?? mask
        }
    }

    /// An address to listen at: IPv4, IPv6 with or without brackets, or a host's name.
    static var address: SettingForm {
        SettingForm("an address such as 127.0.0.1, ::1 or 0.0.0.0, or a host's name") { text in
            guard var address = text.single else { return nil }
            if address.hasPrefix("["), address.hasSuffix("]") { address = String(address.dropFirst().dropLast()) }
            let isName = !address.isEmpty && address.utf8.allSatisfy(SettingCharacters.isHostByte)
            return isName || IPAddress(address) != nil ? address : nil
        } write: {
            $0
        }
    }

    /// A name of 1 to 57 bytes: Postgres takes 63 for a schema, and that of calls has the same name with "_calls" behind
    /// it.
    static var schema: SettingForm {
        text("a name of 1 to 57 bytes, without $ and {{, that does not begin with pg_") { name in
            (1...57).contains(name.utf8.count) && !name.utf8.contains(0) && !name.hasPrefix("pg_")
                && !name.contains("$") && !name.contains("{{")
        }
    }

    /// The beginning of a key in a store.
    static var keyPrefix: SettingForm {
        text("the beginning of keys, such as uploads/, that holds no empty part, . or ..") { prefix in
            SettingCharacters.isKey(prefix.hasSuffix("/") ? prefix + "x" : prefix)
        }
    }

    /// A template of keys; see ``WorkerConfiguration/Outputs``.
    static var keyTemplate: SettingForm {
        let names = WorkerConfiguration.Outputs.placeholders.map { "{\($0)}" }.joined(separator: ", ")
        return text("a key with {jobId}, so that no two jobs write the same, and no placeholder but \(names)") {
            template in
            guard template.contains("{jobId}") else { return false }
            let bare = WorkerConfiguration.Outputs.placeholders.reduce(template) { text, name in
                text.split(separator: "{\(name)}", omittingEmptySubsequences: false).joined(separator: "x")
            }
            return SettingCharacters.isKey(bare) && !bare.contains("{") && !bare.contains("}")
        }
    }
}

extension SettingForm where Value == HTTPURL {
    static var url: SettingForm {
        SettingForm("an http or https URL", isQuotable: false) { text in
            text.single.flatMap { try? HTTPURL($0) }
        } write: {
            $0.description
        }
    }
}

extension SettingForm where Value == Logger.Level {
    /// swift-log's levels, and `warn`.
    static var logLevel: SettingForm {
        let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
        return SettingForm("one of \(levels)") { text in
            let word = text.single?.lowercased()
            return word == "warn" ? .warning : word.flatMap { Logger.Level(rawValue: $0) }
        } write: {
            $0.rawValue
        }
    }
}

extension SettingForm where Value == [String] {
    /// Kinds of jobs, or queues.
    static func names(_ expected: String) -> SettingForm {
        list(expected) { name in
            (1...200).contains(name.utf8.count) && !name.contains { $0.isWhitespace } ? name : nil
        }
    }

    static var folders: SettingForm {
        list("absolute paths of folders") { $0.hasPrefix("/") && !$0.utf8.contains(0) ? $0 : nil }
    }

    /// As ``AddressGuard`` takes them.
    static var hosts: SettingForm {
        list("hosts such as media.internal, or *.internal for all names below") { host in
            let name = host.hasPrefix("*.") ? host.dropFirst(2) : host[...]
            return !name.isEmpty && name.utf8.allSatisfy(SettingCharacters.isHostByte) ? host : nil
        }
    }

    /// As browsers send them in `Origin`, or "*" for all.
    static var origins: SettingForm {
        list("origins such as https://app.example.com, or *") { origin in
            if origin == "*" { return origin }
            guard let url = try? HTTPURL(origin), url.path == "/", url.query == nil, url.userInfo == nil else {
                return nil
            }
            return url.origin
        }
    }

    static var mediaTypes: SettingForm {
        list("media types such as video/mp4, or video/* for all of a sort") { type in
            let parts = type.split(separator: "/", omittingEmptySubsequences: false)
            let isValid =
                parts.count == 2
                && parts.allSatisfy { part in
                    !part.isEmpty && part.utf8.allSatisfy(SettingCharacters.isTokenByte)
                }
            return isValid && parts[0] != "*" ? type.lowercased() : nil
        }
    }
}

extension SettingForm where Value == [IPNetwork] {
    static var networks: SettingForm {
        list(of: "networks such as 10.20.0.0/16 or fd00::/8") {
            IPNetwork($0)
        } write: {
            $0.description
        }
    }
}

extension SettingForm where Value == [[UInt8]] {
    /// Keys of Standard Webhooks' symmetric signatures: base64 behind "whsec_", 24 to 64 bytes each.
    static var signingSecrets: SettingForm {
        list(of: "keys of 24 to 64 bytes in base64, as from: openssl rand -base64 32", isQuotable: false) { text in
            let prefix = "whsec_"
            let bare = text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
            return Data(base64Encoded: bare).map { Array($0) }.flatMap { (24...64).contains($0.count) ? $0 : nil }
        } write: { _ in
            mask
        }
    }
}

extension SettingForm where Value == [WorkerConfiguration.OpenTelemetry.Pair] {
    /// "name=value", percent-encoded as in W3C's baggage, which OpenTelemetry's variables follow.
    ///
    /// - Parameter isSecret: whether the values are.
    static func pairs(_ expected: String, isSecret: Bool = false) -> SettingForm {
        list(of: expected, isQuotable: !isSecret) { text in
            guard let sign = text.firstIndex(of: "=") else { return nil }
            let name = text[..<sign].trimmed
            guard !name.isEmpty, let value = SettingCharacters.percentDecoded(text[text.index(after: sign)...].trimmed)
            else { return nil }
            return Pair(name: name, value: value)
        } write: { pair in
            "\(pair.name)=\(isSecret ? mask : pair.value)"
        }
    }

    private typealias Pair = WorkerConfiguration.OpenTelemetry.Pair
}

/// Which characters stand where.
enum SettingCharacters {
    static func isHostByte(_ byte: UInt8) -> Bool {
        isLetterOrDigit(byte) || [UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_")].contains(byte)
    }

    /// RFC 9110 §5.6.2, where a media type has any of them.
    static func isTokenByte(_ byte: UInt8) -> Bool {
        isLetterOrDigit(byte) || "!#$&-^_.+*".utf8.contains(byte)
    }

    /// Whether a text can be the key of an object in any store: no empty part, no dots alone.
    static func isKey(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return text.utf8.count <= 1024 && !text.utf8.contains { $0 < 0x20 || $0 == 0x7F }
            && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
    }

    /// `nil` where a "%" is not followed by two hexadecimal digits, or the bytes are not UTF-8.
    static func percentDecoded(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(code)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
            || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
    }
}
