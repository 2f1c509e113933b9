/// Codes of languages, which containers write with three letters and people with two.
enum LanguageCode {
    /// The ISO 639-2 code of an ISO 639-1 code or BCP 47 tag; what is unknown stays as it is.
    static func threeLetters(_ language: String) -> String {
        let primary = language.lowercased().split(separator: "-").first.map(String.init) ?? language
        return codes[primary] ?? primary
    }

    /// As QuickTime's own codes are called in libav, which has no other languages for MOV.
    static func quickTime(_ language: String) -> String {
        let code = threeLetters(language)
        return quickTimeNames[code] ?? code
    }

    private static let quickTimeNames = [
        "deu": "ger", "nld": "dut", "swe": "sve", "ell": "gre", "isl": "ice", "zho": "chi", "sqi": "alb", "mkd": "mac",
    ]

    /// The terminological codes: https://www.loc.gov/standards/iso639-2/php/code_list.php
    private static let codes: [String: String] = [
        "af": "afr", "am": "amh", "ar": "ara", "az": "aze", "be": "bel", "bg": "bul", "bn": "ben", "bs": "bos",
        "ca": "cat", "cs": "ces", "cy": "cym", "da": "dan", "de": "deu", "el": "ell", "en": "eng", "es": "spa",
        "et": "est", "eu": "eus", "fa": "fas", "fi": "fin", "fr": "fra", "ga": "gle", "gl": "glg", "gu": "guj",
        "he": "heb", "hi": "hin", "hr": "hrv", "hu": "hun", "hy": "hye", "id": "ind", "is": "isl", "it": "ita",
        "ja": "jpn", "ka": "kat", "kk": "kaz", "km": "khm", "kn": "kan", "ko": "kor", "ky": "kir", "lo": "lao",
        "lt": "lit", "lv": "lav", "mi": "mri", "mk": "mkd", "ml": "mal", "mn": "mon", "mr": "mar", "ms": "msa",
        "mt": "mlt", "my": "mya", "nb": "nob", "ne": "nep", "nl": "nld", "nn": "nno", "no": "nor", "pa": "pan",
        "pl": "pol", "ps": "pus", "pt": "por", "ro": "ron", "ru": "rus", "si": "sin", "sk": "slk", "sl": "slv",
        "so": "som", "sq": "sqi", "sr": "srp", "sv": "swe", "sw": "swa", "ta": "tam", "te": "tel", "th": "tha",
        "tl": "tgl", "tr": "tur", "uk": "ukr", "ur": "urd", "uz": "uzb", "vi": "vie", "yi": "yid", "zh": "zho",
        "zu": "zul",
    ]
}
