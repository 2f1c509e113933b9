import FoundationEssentials
import Transfer

/// The names that Twilio gives things: two letters and 32 hexadecimal digits. They become parts of keys; how many digits
/// they have is Twilio's matter.
enum TwilioSID {
    static func isOne(_ text: some StringProtocol, _ prefix: String) -> Bool {
        text.hasPrefix(prefix) && (prefix.utf8.count + 1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            }
    }
}

/// Where a recording is, and what it is called.
struct RecordingAddress: Sendable, Hashable {
    /// Of a recording that Twilio has: without a suffix. Elsewhere: as it was given.
    let url: HTTPURL
    let sid: String
    /// As the URL says it.
    let accountSid: String?
    /// Whether the URL is of Twilio's form, `…/Recordings/RE…`, and so has its suffixes and metadata. One with a query is
    /// signed, and not Twilio's.
    let isTwilios: Bool

    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    /// A form in which Twilio has a recording.
    enum Format: String, Sendable, CaseIterable {
        case wav, mp3
    }

    /// - Parameter sid: as the payload says it; `nil` for the one in the URL.
    /// - Throws: ``Problem``.
    init(_ text: String, sid: String?) throws(Problem) {
        var url: HTTPURL
        do { url = try HTTPURL(text) } catch { throw Problem(description: "\(error)") }
        let parts = url.path.split(separator: "/", omittingEmptySubsequences: false)
        let last = parts.last ?? ""
        let name = Self.withoutSuffix(last)
        isTwilios =
            parts.dropLast().last == "Recordings" && TwilioSID.isOne(name, "RE")
            && url.query.map { $0.isEmpty || $0.hasPrefix("RequestedChannels=") } ?? true
        if isTwilios {
            url.path = String(url.path.dropLast(last.count)) + name
            url.query = nil
        }
        let own = TwilioSID.isOne(name, "RE") ? String(name) : nil
        guard let sid = sid ?? own else {
            throw Problem(description: "the URL does not end with the recording's SID: give recordingSid")
        }
        if isTwilios, let own, own != sid {
            throw Problem(description: "the URL is that of \(own), and recordingSid is \(sid)")
        }
        self.url = url
        self.sid = sid
        let account = parts.firstIndex(of: "Accounts").map { parts[($0 + 1)...].first ?? "" } ?? ""
        accountSid = TwilioSID.isOne(account, "AC") ? String(account) : nil
    }

    /// What to ask for, the best first: both sides apart, then as one, then what is smaller.
    ///
    /// - Parameter channels: how many it is known to have.
    func candidates(channels: Int?) -> [HTTPURL] {
        // Elsewhere a URL may be signed, and is good as it is only.
        guard isTwilios else { return [url] }
        var candidates = [adding(".wav"), adding(".mp3")]
        if channels != 1 {
            var apart = candidates[0]
            apart.query = "RequestedChannels=2"
            candidates.insert(apart, at: 0)
        }
        return candidates
    }

    /// What Twilio knows of it, as JSON; `nil` elsewhere.
    var metadata: HTTPURL? { isTwilios ? adding(".json") : nil }

    private func adding(_ suffix: String) -> HTTPURL {
        var url = url
        url.path += suffix
        return url
    }

    private static func withoutSuffix(_ name: Substring) -> Substring {
        for suffix in [".wav", ".mp3", ".json", ".xml"] where name.lowercased().hasSuffix(suffix) {
            return name.dropLast(suffix.count)
        }
        return name
    }
}

/// Who is given the account's token.
struct TwilioHosts: Sendable {
    /// Hosts, which are reached by TLS at the usual port alone; or origins with their scheme, such as
    /// `http://127.0.0.1:8080`, which are what they say.
    let names: [String]

    func contain(_ url: HTTPURL) -> Bool {
        names.contains { name in
            if name.contains("://") { return (try? HTTPURL(name))?.origin == url.origin }
            return url.scheme == .https && url.port == HTTPURL.Scheme.https.defaultPort && url.host == name.lowercased()
        }
    }
}
