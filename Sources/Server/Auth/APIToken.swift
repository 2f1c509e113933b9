import Crypto
import Foundation

/// A bearer token: `kiln_`, an id that may be known to anybody, `_`, and a secret of 256 random bits.
///
/// The prefix is there for scanners that look for secrets in the wrong places. The database has the secret's SHA-256
/// alone; of 256 random bits nobody finds the others by trying, so that no salt and no slow hash are needed.
struct APIToken: Sendable {
    /// 16 hexadecimal digits.
    let id: String
    /// 43 letters of base64url.
    let secret: String

    static let prefix = "kiln_"

    /// A new one.
    init() {
        var generator = SystemRandomNumberGenerator()
        id = Self.hex((0..<8).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        secret = Data(bytes).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// Reads one; nil for what is none.
    init?(_ text: String) {
        guard text.utf8.count == Self.prefix.utf8.count + 16 + 1 + 43, text.hasPrefix(Self.prefix) else { return nil }
        let rest = text.dropFirst(Self.prefix.count)
        let id = rest.prefix(16)
        let secret = rest.dropFirst(17)
        guard id.utf8.allSatisfy({ Self.isHexDigit($0) }), rest.dropFirst(16).first == "_", secret.utf8.count == 43
        else { return nil }
        self.id = String(id)
        self.secret = String(secret)
    }

    /// All of it: what its bearer sends.
    var text: String { "\(Self.prefix)\(id)_\(secret)" }

    /// 64 hexadecimal digits.
    var hash: String { Self.hex(Array(SHA256.hash(data: Data(secret.utf8)))) }

    /// Whether the secret is the one with that hash. It takes as long whichever it is.
    func matches(hash known: String) -> Bool {
        let (mine, known) = (Array(hash.utf8), Array(known.utf8))
        guard mine.count == known.count else { return false }
        return zip(mine, known).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte
    }

    static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0" + digits : digits
        }.joined()
    }
}
