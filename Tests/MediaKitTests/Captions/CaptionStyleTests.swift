import Foundation
import MediaKit
import Testing

@Suite struct `Caption style` {
    private func decode(_ json: String) throws -> CaptionStyle {
        try JSONDecoder().decode(CaptionStyle.self, from: Data(json.utf8))
    }

    private func refusal(_ json: String) -> MediaError? {
        do {
            _ = try decode(json)
            return nil
        } catch {
            return error as? MediaError
        }
    }

    @Test func `an empty object is the default style`() throws {
        #expect(try decode("{}") == CaptionStyle())
    }

    @Test func `a style survives a round trip as JSON`() throws {
        var style = CaptionStyle()
        style.fontFamily = "Noto Sans"
        style.fontSizePixels = 40
        style.bold = true
        style.fillColor = CaptionColor(red: 1, green: 2, blue: 3, alpha: 4)
        style.backgroundColor = .black
        style.alignment = .topRight
        style.lineWrapping = .greedy
        style.maximumLines = 2
        let json = try JSONEncoder().encode(style)
        #expect(try JSONDecoder().decode(CaptionStyle.self, from: json) == style)
        #expect(String(decoding: json, as: UTF8.self).contains("\"#01020304\""))
    }

    @Test func `an unknown key is refused with the nearest one`() throws {
        let error = try #require(refusal(#"{"fontsize": 0.1}"#))
        #expect(error.code == .badRequest)
        #expect(error.description.contains("fontsize") && error.description.contains("fontSize"))
        #expect(refusal(##"{"outlineColour": "#000000"}"##)?.hint?.contains("“outlineColor”") == true)
    }

    @Test(arguments: [
        (#"{"fontSize": 0.9}"#, "fontSize", "0.01 to 0.5"), (#"{"fontSize": "big"}"#, "fontSize", "a number"),
        (#"{"fillColor": "red"}"#, "fillColor", "#RRGGBB"), (##"{"fillColor": "#12345"}"##, "fillColor", "#RRGGBB"),
        (#"{"fillOpacity": -0.1}"#, "fillOpacity", "0 to 1"), (#"{"alignment": "buttom"}"#, "alignment", "“bottom”"),
        (#"{"maximumLines": 0}"#, "maximumLines", "1 to 20"), (#"{"lineWrapping": "x"}"#, "lineWrapping", "balanced"),
        (#"{"safeArea": 0.4, "marginVertical": 0.3}"#, "marginVertical", "0.45"),
        (#"{"bold": 1}"#, "bold", "true or false"),
        (#"{"fontFamily": "A,{\\b1}"}"#, "fontFamily", "comma"), (#"{"fontFamily": " "}"#, "fontFamily", "Noto Sans"),
        (#"{"maximumWidth": 1.5}"#, "maximumWidth", "0.1 to 1"),
        (#"{"fontSizePixels": 1}"#, "fontSizePixels", "4 to 2000"),
    ])
    func `a bad value is refused, naming the field and what it may be`(json: String, field: String, range: String)
        throws
    {
        let error = try #require(refusal(json))
        #expect(error.code == .badRequest)
        #expect(error.message.contains(field))
        #expect(error.description.contains(range))
    }
}
