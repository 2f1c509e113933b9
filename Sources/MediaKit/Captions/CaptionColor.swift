/// A colour in sRGB with its opacity, written `#RRGGBB` or `#RRGGBBAA`.
public struct CaptionColor: Sendable, Hashable, Codable, CustomStringConvertible {
    /// 0…255, not multiplied with the opacity.
    public var red: UInt8
    /// 0…255, not multiplied with the opacity.
    public var green: UInt8
    /// 0…255, not multiplied with the opacity.
    public var blue: UInt8
    /// 255 is opaque.
    public var alpha: UInt8

    /// Opaque unless `alpha` is given.
    public init(red: UInt8, green: UInt8, blue: UInt8, alpha: UInt8 = 255) {
        self.red = red
        self.green = green
        self.blue = blue
        self.alpha = alpha
    }

    /// Opaque white, `#FFFFFF`.
    public static let white = CaptionColor(red: 255, green: 255, blue: 255)
    /// Opaque black, `#000000`.
    public static let black = CaptionColor(red: 0, green: 0, blue: 0)

    /// From `#RRGGBB` or `#RRGGBBAA`; `nil` for all else.
    public init?(_ text: String) {
        let digits = Array(text.utf8)
        guard digits.first == UInt8(ascii: "#"), digits.count == 7 || digits.count == 9 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 1, to: digits.count, by: 2) {
            guard let high = hexValue(digits[index]), let low = hexValue(digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        self.init(red: bytes[0], green: bytes[1], blue: bytes[2], alpha: bytes.count == 4 ? bytes[3] : 255)
    }

    /// From what stands in SubRip's `<font color=…>`: `#RGB`, `#RRGGBB`, `RRGGBB` or one of HTML's names.
    init?(html text: String) {
        let name = text.lowercased()
        if let known = CaptionColor.htmlNames[name] {
            self = known
            return
        }
        let digits = Array(name.utf8.drop { $0 == UInt8(ascii: "#") })
        if digits.count == 3, name.hasPrefix("#") {
            self.init("#" + digits.map { String(repeating: Character(Unicode.Scalar($0)), count: 2) }.joined())
        } else {
            self.init("#" + String(decoding: digits, as: UTF8.self))
        }
    }

    /// `#RRGGBB`, with two more digits where it is not opaque.
    public var description: String {
        let opaque = "#" + hex(red) + hex(green) + hex(blue)
        return alpha == 255 ? opaque : opaque + hex(alpha)
    }

    public init(from decoder: any Swift.Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let color = CaptionColor(text) else {
            throw MediaError(
                .badRequest, "“\(text)” is no colour", hint: "write #RRGGBB or #RRGGBBAA, such as #FFD700")
        }
        self = color
    }

    public func encode(to encoder: any Swift.Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// The same with its opacity multiplied by `opacity`, 0 to 1.
    func faded(by opacity: Double) -> CaptionColor {
        var copy = self
        copy.alpha = UInt8((Double(alpha) * min(max(opacity, 0), 1)).rounded())
        return copy
    }

    /// As ASS's style lines have it: `&HAABBGGRR`, with AA counting transparency.
    var assStyleValue: String { "&H" + hex(255 - alpha) + hex(blue) + hex(green) + hex(red) }
    /// As ASS's `\c` has it: `&HBBGGRR&`.
    var assColorTag: String { "&H" + hex(blue) + hex(green) + hex(red) + "&" }
    /// As ASS's `\alpha` has it: `&HAA&`, counting transparency.
    var assAlphaTag: String { "&H" + hex(255 - alpha) + "&" }

    /// The 17 names of CSS 2.1 and those that subtitle editors offer besides.
    private static let htmlNames: [String: CaptionColor] = [
        "black": 0x000000, "silver": 0xC0C0C0, "gray": 0x808080, "grey": 0x808080, "white": 0xFFFFFF,
        "maroon": 0x800000, "red": 0xFF0000, "purple": 0x800080, "fuchsia": 0xFF00FF, "magenta": 0xFF00FF,
        "green": 0x008000, "lime": 0x00FF00, "olive": 0x808000, "yellow": 0xFFFF00, "navy": 0x000080,
        "blue": 0x0000FF, "teal": 0x008080, "aqua": 0x00FFFF, "cyan": 0x00FFFF, "orange": 0xFFA500,
        "brown": 0xA52A2A, "pink": 0xFFC0CB, "gold": 0xFFD700, "violet": 0xEE82EE, "indigo": 0x4B0082,
        "lightblue": 0xADD8E6, "lightgreen": 0x90EE90, "lightyellow": 0xFFFFE0, "lightgray": 0xD3D3D3,
        "lightgrey": 0xD3D3D3, "darkblue": 0x00008B, "darkgreen": 0x006400, "darkred": 0x8B0000,
        "skyblue": 0x87CEEB, "salmon": 0xFA8072, "tomato": 0xFF6347, "turquoise": 0x40E0D0, "beige": 0xF5F5DC,
    ].mapValues { (value: UInt32) in
        CaptionColor(
            red: UInt8(truncatingIfNeeded: value >> 16), green: UInt8(truncatingIfNeeded: value >> 8),
            blue: UInt8(truncatingIfNeeded: value))
    }
}

private func hex(_ value: UInt8) -> String {
    let digits = String(value, radix: 16, uppercase: true)
    return value < 16 ? "0" + digits : digits
}

/// The value of a hexadecimal digit in ASCII.
func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
