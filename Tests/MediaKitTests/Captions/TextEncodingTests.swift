import MediaKit
import Testing

@Suite struct `Text encodings` {
    private static func hex(_ digits: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = digits[...]
        while let byte = UInt8(rest.prefix(2), radix: 16) {
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        return bytes
    }

    struct Sample: Sendable, CustomTestStringConvertible {
        var encoding: TextEncoding
        var text: String
        var hex: String
        var testDescription: String { "\(encoding.rawValue): \(text.prefix(12))" }
    }

    /// As a subtitle file around it, so that digits and arrows weigh as they do in life.
    private static func file(_ body: [UInt8]) -> [UInt8] {
        Array("1\r\n00:00:01,000 --> 00:00:04,000\r\n".utf8) + body + Array("\r\n".utf8)
    }

    @Test(arguments: samples) func `the encoding is detected and read`(sample: Sample) throws {
        let bytes = `Text encodings`.file(`Text encodings`.hex(sample.hex))
        let document = try SubtitleDocument.parse(bytes, name: "sample.srt")
        #expect(document.encoding == sample.encoding)
        #expect(document.cues.first?.text == sample.text)
        #expect(document.warnings == [])
    }

    @Test(arguments: samples) func `the encoding can be named`(sample: Sample) throws {
        let bytes = `Text encodings`.file(`Text encodings`.hex(sample.hex))
        let encoding = try #require(TextEncoding(name: sample.encoding.rawValue.uppercased()))
        let document = try SubtitleDocument.parse(bytes, name: "sample.srt", encoding: encoding)
        #expect(document.cues.first?.text == sample.text)
    }

    @Test(arguments: [true, false], [true, false])
    func `UTF-16 is read with and without a mark`(bigEndian: Bool, marked: Bool) throws {
        let text = (marked ? "\u{FEFF}" : "") + "1\n00:00:01,000 --> 00:00:04,000\nПривет 😀, größer\n"
        let bytes = text.utf16.flatMap { unit -> [UInt8] in
            let (high, low) = (UInt8(unit >> 8), UInt8(unit & 0xFF))
            return bigEndian ? [high, low] : [low, high]
        }
        let document = try SubtitleDocument.parse(bytes, name: "x.srt")
        #expect(document.cues.first?.text == "Привет 😀, größer")
        #expect(document.encoding == (bigEndian ? .utf16BigEndian : .utf16LittleEndian))
    }

    @Test func `NUL and bad bytes become replacement characters, with a warning naming the line`() throws {
        let document = try SubtitleDocument.parse(
            `Text encodings`.file(Array("größer, schöner, weiß, Übermut, Ärger ".utf8) + [0xFF, 0x20, 0x00]),
            name: "x.srt")
        #expect(document.encoding == .utf8)
        #expect(document.cues.first?.text == "größer, schöner, weiß, Übermut, Ärger \u{FFFD} \u{FFFD}")
        #expect(document.warnings.map(\.line) == [3])
    }

    @Test func `a single odd byte is Windows-1252`() throws {
        let document = try SubtitleDocument.parse(`Text encodings`.file(Array("caf".utf8) + [0xE9]), name: "x.srt")
        #expect(document.encoding == .windows1252)
        #expect(document.cues.first?.text == "café")
    }

    @Test(arguments: [
        ("latin1", TextEncoding.windows1252), ("CP1251", .windows1251), ("UTF8", .utf8), ("Shift-JIS", .shiftJIS),
        ("gbk", .gb18030),
    ])
    func `encodings go by many names`(name: String, encoding: TextEncoding) {
        #expect(TextEncoding(name: name) == encoding)
    }

    @Test func `a name that means nothing is none`() {
        #expect(TextEncoding(name: "klingon-1") == nil)
    }

    static let samples: [Sample] = [
        Sample(
            encoding: .windows1252, text: "Es ist töricht, so ganz allein zu reisen! Schöne Grüße, Fräulein Müller.",
            hex: "4573206973742074F672696368742C20736F2067616E7A20616C6C65696E207A752072656973656E2120"
                + "536368F66E65204772FCDF652C204672E4756C65696E204DFC6C6C65722E"),
        Sample(
            encoding: .windows1252, text: "L’été dernier, où étiez-vous ? Ça va très bien, garçon : voilà.",
            hex: "4C92E974E9206465726E6965722C206FF920E97469657A2D766F7573203F20C761207661207472E87320"
                + "6269656E2C20676172E76F6E203A20766F696CE02E"),
        Sample(
            encoding: .windows1252, text: "¿Dónde está el niño? ¡Mañana, señor! Qué pasó aquí.",
            hex: "BF44F36E646520657374E120656C206E69F16F3F20A14D61F1616E612C207365F16F7221205175E92070"
                + "6173F320617175ED2E"),
        Sample(
            encoding: .windows1252, text: "Não, não é possível. A coração está à espera de uma canção.",
            hex: "4EE36F2C206EE36F20E920706F7373ED76656C2E204120636F7261E7E36F20657374E120E02065737065"
                + "726120646520756D612063616EE7E36F2E"),
        Sample(
            encoding: .windows1252, text: "Jeg er så glad for å være her på øya, sa hun. Blåbærsyltetøy.",
            hex: "4A65672065722073E520676C616420666F7220E52076E67265206865722070E520F879612C2073612068"
                + "756E2E20426CE562E67273796C746574F8792E"),
        Sample(
            encoding: .windows1250, text: "Zażółć gęślą jaźń. Dlaczego nie powiedziałeś mi, że przyjdziesz później?",
            hex: "5A61BFF3B3E62067EA9C6CB9206A619FF12E20446C61637A65676F206E696520706F776965647A6961B3"
                + "659C206D692C20BF652070727A796A647A6965737A2070F39F6E69656A3F"),
        Sample(
            encoding: .windows1250, text: "Příliš žluťoučký kůň úpěl ďábelské ódy. Měl bych už jít, řekl tiše.",
            hex: "50F8ED6C699A209E6C759D6F75E86BFD206BF9F220FA70EC6C20EFE162656C736BE920F364792E204DEC"
                + "6C206279636820759E206AED742C20F8656B6C2074699A652E"),
        Sample(
            encoding: .windows1250,
            text: "Nem tudom, miért jöttél ide. Azt hittem, hogy őt szereted, és nem fűt más vágy.",
            hex: "4E656D207475646F6D2C206D69E97274206AF67474E96C206964652E20417A742068697474656D2C2068"
                + "6F677920F57420737A6572657465642C20E973206E656D2066FB74206DE1732076E167792E"),
        Sample(
            encoding: .windows1254, text: "Şimdi gidiyorum, çünkü yarın sabah erken kalkmalıyım. Işığı kapatır mısın?",
            hex: "DE696D64692067696469796F72756D2C20E7FC6E6BFC20796172FD6E2073616261682065726B656E206B"
                + "616C6B6D616CFD79FD6D2E2049FEFDF0FD206B61706174FD72206DFD73FD6E3F"),
        Sample(
            encoding: .windows1251, text: "Съешь же ещё этих мягких французских булок, да выпей чаю.",
            hex: "D1FAE5F8FC20E6E520E5F9B820FDF2E8F520ECFFE3EAE8F520F4F0E0EDF6F3E7F1EAE8F520E1F3EBEEEA"
                + "2C20E4E020E2FBEFE5E920F7E0FE2E"),
        Sample(
            encoding: .windows1251, text: "Привіт, як справи? Я дуже радий тебе бачити, їжмо разом.",
            hex: "CFF0E8E2B3F22C20FFEA20F1EFF0E0E2E83F20DF20E4F3E6E520F0E0E4E8E920F2E5E1E520E1E0F7E8F2"
                + "E82C20BFE6ECEE20F0E0E7EEEC2E"),
        Sample(
            encoding: .koi8R, text: "Я не знаю, что делать дальше. Мы должны уйти отсюда как можно скорее.",
            hex: "F120CEC520DACEC1C02C20DED4CF20C4C5CCC1D4D820C4C1CCD8DBC52E20EDD920C4CFCCD6CED920D5CA"
                + "D4C920CFD4D3C0C4C120CBC1CB20CDCFD6CECF20D3CBCFD2C5C52E"),
        Sample(
            encoding: .windows1253, text: "Δεν ξέρω τι να κάνω τώρα. Πρέπει να φύγουμε από εδώ αμέσως.",
            hex: "C4E5ED20EEDDF1F920F4E920EDE120EADCEDF920F4FEF1E12E20D0F1DDF0E5E920EDE120F6FDE3EFF5EC"
                + "E520E1F0FC20E5E4FE20E1ECDDF3F9F22E"),
        Sample(
            encoding: .windows1255, text: "שלום עולם, אני לא יודע מה לעשות עכשיו, אנחנו חייבים ללכת.",
            hex: "F9ECE5ED20F2E5ECED2C20E0F0E920ECE020E9E5E3F220EEE420ECF2F9E5FA20F2EBF9E9E52C20E0F0E7"
                + "F0E520E7E9E9E1E9ED20ECECEBFA2E"),
        Sample(
            encoding: .windows1256, text: "مرحبا بالعالم، لا أعرف ماذا أفعل الآن، يجب أن نذهب من هنا.",
            hex: "E3D1CDC8C720C8C7E1DAC7E1E3A120E1C720C3DAD1DD20E3C7D0C720C3DDDAE120C7E1C2E4A120EDCCC8"
                + "20C3E420E4D0E5C820E3E420E5E4C72E"),
        Sample(
            encoding: .shiftJIS, text: "こんにちは世界。これは字幕のテストです。どこで生れたかとんと見当がつかぬ。",
            hex: "82B182F182C982BF82CD90A28A45814282B182EA82CD8E9A968B82CC83658358836782C582B7814282C7"
                + "82B182C590B682EA82BD82A982C682F182C68CA9939682AA82C282A982CA8142"),
        Sample(
            encoding: .eucJP, text: "こんにちは世界。これは字幕のテストです。どこで生れたかとんと見当がつかぬ。",
            hex: "A4B3A4F3A4CBA4C1A4CFC0A4B3A6A1A3A4B3A4ECA4CFBBFACBEBA4CEA5C6A5B9A5C8A4C7A4B9A1A3A4C9"
                + "A4B3A4C7C0B8A4ECA4BFA4ABA4C8A4F3A4C8B8ABC5F6A4ACA4C4A4ABA4CCA1A3"),
        Sample(
            encoding: .gb18030, text: "你好，世界。我不知道现在该怎么办，我们必须马上离开这里。",
            hex: "C4E3BAC3A3ACCAC0BDE7A1A3CED2B2BBD6AAB5C0CFD6D4DAB8C3D4F5C3B4B0ECA3ACCED2C3C7B1D8D0EB"
                + "C2EDC9CFC0EBBFAAD5E2C0EFA1A3"),
        Sample(
            encoding: .big5, text: "你好，世界。我不知道現在該怎麼辦，我們必須馬上離開這裡。",
            hex: "A741A66EA141A540ACC9A143A7DAA4A3AABEB944B27BA662B8D3ABE7BBF2BFECA141A7DAADCCA5B2B6B7"
                + "B0A8A457C2F7B67DB36FB8CCA143"),
        Sample(
            encoding: .eucKR, text: "안녕하세요 세계, 지금 무엇을 해야 할지 모르겠어요. 여기서 당장 나가야 합니다.",
            hex: "BEC8B3E7C7CFBCBCBFE420BCBCB0E82C20C1F6B1DD20B9ABBEF9C0BB20C7D8BEDF20C7D2C1F620B8F0B8"
                + "A3B0DABEEEBFE42E20BFA9B1E2BCAD20B4E7C0E520B3AAB0A1BEDF20C7D5B4CFB4D92E"),
    ]
}
