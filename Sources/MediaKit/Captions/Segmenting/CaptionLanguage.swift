/// What is known of a language's words: those that begin a phrase and should not be parted from what follows.
struct CaptionLanguage {
    /// Begin a clause: the best place for a break where there is no punctuation.
    let conjunctions: Set<String>
    /// Begin a phrase.
    let prepositions: Set<String>
    /// Belong to the next word: articles, possessives, negations.
    let leaning: Set<String>
    /// Whether a break is good after a particle (Japanese).
    let hasParticles: Bool

    init(_ language: String?) {
        let name = Self.primary(language)
        func words(_ table: [String: String]) -> Set<String> {
            Set((table[name] ?? "").split(separator: " ").map(String.init))
        }
        conjunctions = words(Self.conjunctionTable)
        prepositions = words(Self.prepositionTable)
        leaning = words(Self.leaningTable)
        hasParticles = name == "ja"
    }

    /// The first part of a BCP 47 tag in lower case; "en" for `nil`. Whisper's full names are taken, too.
    static func primary(_ language: String?) -> String {
        let first = (language ?? "en").lowercased().prefix { $0 != "-" && $0 != "_" }
        return names[String(first)] ?? String(first)
    }

    static let names = [
        "english": "en", "german": "de", "french": "fr", "spanish": "es", "italian": "it", "portuguese": "pt",
        "dutch": "nl", "japanese": "ja", "chinese": "zh", "korean": "ko", "thai": "th", "cantonese": "yue",
        "arabic": "ar", "russian": "ru", "lao": "lo", "khmer": "km", "burmese": "my", "myanmar": "my",
    ]

    /// The language of most letters, where its script gives it away; `nil` for scripts of many languages.
    static func guess(_ text: some Sequence<Character>) -> String? {
        var counts: [String: Int] = [:]
        var total = 0
        for character in text.lazy.prefix(20_000) {
            guard let scalar = character.unicodeScalars.first, scalar.properties.isAlphabetic else { continue }
            total += 1
            switch scalar.value {
            case 0x3041...0x30FF, 0x31F0...0x31FF: counts["ja", default: 0] += 3
            case 0x3400...0x9FFF, 0x20000...0x3FFFD: counts["zh", default: 0] += 1
            case 0x1100...0x11FF, 0xAC00...0xD7AF: counts["ko", default: 0] += 1
            case 0x0E00...0x0E7F: counts["th", default: 0] += 1
            case 0x0E80...0x0EFF: counts["lo", default: 0] += 1
            case 0x1000...0x109F: counts["my", default: 0] += 1
            case 0x1780...0x17FF: counts["km", default: 0] += 1
            default: break
            }
        }
        // A tenth of kana makes it Japanese: the rest is written as in Chinese.
        if let kana = counts["ja"], kana / 3 * 10 >= total { return "ja" }
        guard let best = counts.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }) else { return nil }
        return best.value * 2 > total ? best.key : nil
    }

    /// Scripts that part neither words nor syllables by anything that can be seen: Thai, Lao, Burmese, Khmer.
    static func isUnspaced(_ character: Character) -> Bool {
        guard let scalar = character.unicodeScalars.first else { return false }
        switch scalar.value {
        case 0x0E00...0x0EFF, 0x1000...0x109F, 0x1780...0x17FF: return true
        default: return false
        }
    }

    private static let conjunctionTable = [
        "en": """
        and but or nor so because although though while whereas when where who whom which that if unless until since \
        than whether as
        """,
        "de":
            "und aber oder denn sondern weil dass obwohl wenn als ob während damit bevor nachdem wo wer welche welcher",
        "fr": "et mais ou donc car parce que qui quand lorsque si comme puisque quoique où dont tandis",
        "es": "y e pero o u porque que quien cuando donde si como aunque sino mientras pues",
        "it": "e ed ma o oppure perché che chi quando dove se come mentre poiché anche",
        "pt": "e mas ou porque que quem quando onde se como embora enquanto pois",
        "nl": "en maar of want omdat dat die wie wanneer waar als hoewel terwijl toen zodat",
        "ru": "и а но или что который когда где если как потому чтобы хотя пока",
    ]

    private static let prepositionTable = [
        "en": """
        in on at by for with from to of about into onto over after before between through during without under \
        against among across behind toward towards within
        """,
        "de": "in im an am auf aus bei mit nach von vom zu zum zur für über unter durch gegen ohne um vor hinter seit",
        "fr": "à au aux de du des en dans par pour sur sous avec sans chez entre vers depuis pendant contre",
        "es": "a al de del en con por para sin sobre entre hacia desde hasta según contra durante",
        "it": "a al alla di del della in nel nella con per su sul sulla tra fra da dal dalla senza verso",
        "pt": "a ao à de do da em no na com por para sem sobre entre até desde contra durante",
        "nl": "in op aan bij met van voor naar uit over onder door tegen zonder om tot sinds",
        "ru": "в во на с со к по из от до для о об у за под над при без через",
    ]

    private static let leaningTable = [
        "en": """
        a an the my your his her its our their this these those is are was were be not very no i you he she it we \
        they i'm will would can could should must don't
        """,
        "de":
            "der die das den dem des ein eine einen einem einer mein dein sein ihr unser kein keine nicht sehr ich ist",
        "fr":
            "le la les l un une des mon ma mes ton ta son sa ses notre votre leur ce cet cette ne pas je il elle on est",
        "es": "el la los las un una unos unas mi tu su sus nuestro este esta no muy es yo se lo le",
        "it": "il lo la i gli le un uno una mio tuo suo questo questa non è si molto",
        "pt": "o a os as um uma meu minha seu sua este esta não é se muito",
        "nl": "de het een mijn jouw zijn haar ons hun dit deze niet is ik heel",
        "ru": "не ни мой твой свой этот эта это очень",
    ]
}
