import Crypto
import Glibc

/// What a server of S3 computes, apart from what a client in `Transfer` does.
enum S3Digest {
    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        var text = ""
        for byte in bytes { text += (byte < 16 ? "0" : "") + String(byte, radix: 16) }
        return text
    }

    static func sha256(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }
    static func md5(_ bytes: [UInt8]) -> [UInt8] { Array(Insecure.MD5.hash(data: bytes)) }

    static func hmac(_ key: [UInt8], _ text: String) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: key)))
    }

    /// CRC-32C, big-endian. RFC 3720, §12.1.
    static func crc32c(_ bytes: [UInt8]) -> [UInt8] {
        var crc: UInt32 = .max
        for byte in bytes { crc = table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ (crc >> 8) }
        return withUnsafeBytes(of: (~crc).bigEndian) { Array($0) }
    }

    private static let table: [UInt32] = (0..<256).map { (index: Int) -> UInt32 in
        var crc = UInt32(index)
        for _ in 0..<8 {
            let half: UInt32 = crc >> 1
            crc = crc & 1 == 1 ? half ^ 0x82F6_3B78 : half
        }
        return crc
    }

    static func base64(_ bytes: [UInt8]) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for digit in 0..<4 {
                let value = (bits >> (18 - 6 * digit)) & 63
                text.append(digit <= group.count ? digits[value] : "=")
            }
        }
        return text
    }

    /// A moment as "20130524T000000Z".
    static func timestamp(_ seconds: Double) -> String { formatted(seconds, "%Y%m%dT%H%M%SZ") }
    /// A moment as "Fri, 24 May 2013 00:00:00 GMT".
    static func httpDate(_ seconds: Double) -> String { formatted(seconds, "%a, %d %b %Y %H:%M:%S GMT") }
    /// A moment as "2013-05-24T00:00:00.000Z".
    static func isoDate(_ seconds: Double) -> String { formatted(seconds, "%Y-%m-%dT%H:%M:%S.000Z") }

    private static func formatted(_ seconds: Double, _ format: String) -> String {
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        var buffer = [CChar](repeating: 0, count: 64)
        let count = strftime(&buffer, buffer.count, format, &parts)
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Seconds since 1970 of "20130524T000000Z".
    static func seconds(timestamp text: String) -> Double? {
        let digits = Array(text.utf8)
        guard digits.count == 16, digits[8] == UInt8(ascii: "T"), digits[15] == UInt8(ascii: "Z") else { return nil }
        func number(_ range: Range<Int>) -> Int32? { Int32(String(decoding: digits[range], as: UTF8.self)) }
        guard let year = number(0..<4), let month = number(4..<6), let day = number(6..<8), let hour = number(9..<11),
            let minute = number(11..<13), let second = number(13..<15)
        else { return nil }
        var parts = tm()
        parts.tm_year = year - 1900
        parts.tm_mon = month - 1
        parts.tm_mday = day
        parts.tm_hour = hour
        parts.tm_min = minute
        parts.tm_sec = second
        return Double(timegm(&parts))
    }
}

/// Percent-encoding by the rule of Signature Version 4: all but `A-Z a-z 0-9 - . _ ~`.
enum S3Encoding {
    static func encoded(_ text: String, keepingSlashes: Bool = false) -> String {
        var result = ""
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            let isKept =
                byte < 0x80 && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
                || "-._~".utf8.contains(byte) || keepingSlashes && byte == UInt8(ascii: "/")
            result += isKept ? String(scalar) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16).uppercased()
        }
        return result
    }

    /// `nil` for a broken escape.
    static func decoded(_ text: some StringProtocol) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
