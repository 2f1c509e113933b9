/// Names of languages as recognisers write them, and their codes.
enum SpeechLanguage {
    /// The ISO 639-1 code of a name in English, or of a code or tag; `nil` for what is neither.
    static func code(_ text: String) -> String? {
        let text = text.trimmed.lowercased()
        if let code = codes[text] { return code }
        let base = String(text.prefix { $0 != "-" && $0 != "_" })
        guard (2...3).contains(base.count), base.utf8.allSatisfy({ $0 >= 0x61 && $0 <= 0x7A }) else { return nil }
        return base
    }

    /// Whisper's languages, https://github.com/openai/whisper/blob/main/whisper/tokenizer.py, and its other names for
    /// them.
    private static let codes: [String: String] = {
        let table = """
            english en,chinese zh,german de,spanish es,russian ru,korean ko,french fr,japanese ja,portuguese pt,\
            turkish tr,polish pl,catalan ca,dutch nl,arabic ar,swedish sv,italian it,indonesian id,hindi hi,finnish fi,\
            vietnamese vi,hebrew he,ukrainian uk,greek el,malay ms,czech cs,romanian ro,danish da,hungarian hu,tamil ta,\
            norwegian no,thai th,urdu ur,croatian hr,bulgarian bg,lithuanian lt,latin la,maori mi,malayalam ml,welsh cy,\
            slovak sk,telugu te,persian fa,latvian lv,bengali bn,serbian sr,azerbaijani az,slovenian sl,kannada kn,\
            estonian et,macedonian mk,breton br,basque eu,icelandic is,armenian hy,nepali ne,mongolian mn,bosnian bs,\
            kazakh kk,albanian sq,swahili sw,galician gl,marathi mr,punjabi pa,sinhala si,khmer km,shona sn,yoruba yo,\
            somali so,afrikaans af,occitan oc,georgian ka,belarusian be,tajik tg,sindhi sd,gujarati gu,amharic am,\
            yiddish yi,lao lo,uzbek uz,faroese fo,haitian creole ht,pashto ps,turkmen tk,nynorsk nn,maltese mt,\
            sanskrit sa,luxembourgish lb,myanmar my,tibetan bo,tagalog tl,malagasy mg,assamese as,tatar tt,hawaiian haw,\
            lingala ln,hausa ha,bashkir ba,javanese jw,sundanese su,cantonese yue,burmese my,valencian ca,flemish nl,\
            haitian ht,letzeburgesch lb,pushto ps,panjabi pa,moldavian ro,moldovan ro,sinhalese si,castilian es,\
            mandarin zh
            """
        var codes: [String: String] = [:]
        for entry in table.split(separator: ",") {
            guard let blank = entry.lastIndex(of: " ") else { continue }
            codes[String(entry[..<blank])] = String(entry[entry.index(after: blank)...])
        }
        return codes
    }()
}
