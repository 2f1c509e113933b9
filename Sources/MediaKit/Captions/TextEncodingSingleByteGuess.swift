import Glibc

/// Tells the single-byte encodings by letter frequency: for each language, how likely its letters make the bytes that
/// are there (naive Bayes over single letters; frequencies rounded from public letter counts of each language).
enum SingleByteGuess {
    /// The letters of a language that are not ASCII, most frequent first.
    private struct Language {
        let encoding: TextEncoding
        let letters: String
    }

    private static let latin: [Language] = [
        Language(encoding: .windows1252, letters: "üäößÄÜÖ"),
        Language(encoding: .windows1252, letters: "éàèêçùâîôœûïëÉÀÇŒ"),
        Language(encoding: .windows1252, letters: "óíáéñú¿¡üÁÉÚÓÑ"),
        Language(encoding: .windows1252, letters: "ãçáéíóêúõâàôÉÁÓ"),
        Language(encoding: .windows1252, letters: "àèòùéìÈÀ"),
        Language(encoding: .windows1252, letters: "åøæéÅØÆ"),
        Language(encoding: .windows1252, letters: "äåöÄÖÅé"),
        Language(encoding: .windows1252, letters: "áðíéþöúóæýÞÁÍÚÓÆÖ"),
        Language(encoding: .windows1250, letters: "łęążóśćńźŚŻŁĆÓŹ"),
        Language(encoding: .windows1250, letters: "íáéěřýčžšůúťďňóŘČŽŠÚ"),
        Language(encoding: .windows1250, letters: "áéíčšýžúľťňôďóŕĺäŠČŽÚ"),
        Language(encoding: .windows1250, letters: "áéőöóüíúűÉÁÖÓŐÜ"),
        Language(encoding: .windows1250, letters: "ăîâşţŞÎŢÂ"),
        Language(encoding: .windows1250, letters: "čšžćđŠČŽĆĐ"),
        Language(encoding: .windows1254, letters: "ışüğçöİŞÇÖÜâ"),
    ]

    private static let otherScripts: [Language] = [
        Language(encoding: .windows1251, letters: "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъёНПВОСТКЯАМДИЧЭЕГРУБЗЛШХЖФЮЦЩ"),
        Language(encoding: .windows1251, letters: "оаніиветрсклудпмязьбгчхйїшжюцєщфґНВПЯТЩОСАМЗДКІБГРУЄЧЛШХЖФЮЦЇ"),
        Language(encoding: .koi8R, letters: "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъёНПВОСТКЯАМДИЧЭЕГРУБЗЛШХЖФЮЦЩ"),
        Language(encoding: .windows1253, letters: "αοιετσνηυρπκμλςωάίόέγδήθχύφβώξζψΑΤΜΕΠΔΟΝΚΣΘΗΓΙΛΥΕΡΒΦΧΈΌΆ"),
        Language(encoding: .windows1255, letters: "יוהלאתרבמשנעדחקפכםגסטצזןךףץַָ"),
        Language(encoding: .windows1256, letters: "اليمونتربةعدسفهحكقأجشطصخىضذثزءغظإئؤآ،؟ًُِّ"),
        Language(encoding: .windows1256, letters: "ایيندرمهوتسشبخزکگلآپفقعجحچصطضذغظژئ،؟"),
    ]

    static func best(_ bytes: ArraySlice<UInt8>) -> TextEncoding {
        let lines = bytes.split { $0 == 0x0A || $0 == 0x0D }.filter { line in line.contains { $0 >= 0x80 } }
        return isOtherScript(lines) ? mostLikely(otherScripts, lines) : mostLikely(latin, lines)
    }

    /// Whether whole words, rather than single letters of words, are above ASCII.
    private static func isOtherScript(_ lines: [ArraySlice<UInt8>]) -> Bool {
        var (high, mixed) = (0, 0)
        for line in lines {
            for word in line.split(whereSeparator: { !isLetter($0) }) where word.count >= 3 {
                let above = word.reduce(0) { $0 + ($1 >= 0x80 ? 1 : 0) }
                if above == word.count { high += 1 } else if above > 0 { mixed += 1 }
            }
        }
        return high > mixed
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        byte >= 0x80 || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    private static func mostLikely(_ languages: [Language], _ lines: [ArraySlice<UInt8>]) -> TextEncoding {
        let models = languages.map { (encoding: $0.encoding, scores: byteScores($0)) }
        var totals: [TextEncoding: Double] = [:]
        for line in lines {
            // One line is in one language; a file need not be.
            var best: [TextEncoding: Double] = [:]
            for model in models {
                let score = line.reduce(0.0) { $0 + ($1 < 0x80 ? 0 : model.scores[Int($1) - 0x80]) }
                best[model.encoding] = max(best[model.encoding] ?? -.infinity, score)
            }
            for (encoding, score) in best { totals[encoding, default: 0] += score }
        }
        // In the order of the list, so that equal scores go to the first.
        var winner = TextEncoding.windows1252
        var winning = totals[.windows1252].map { $0 + 1 } ?? -.infinity
        for model in models {
            guard let score = totals[model.encoding], score > winning else { continue }
            (winner, winning) = (model.encoding, score)
        }
        return winner
    }

    /// The logarithm of each byte's likelihood. The frequency of a language's letters falls about geometrically with
    /// their rank; quotation marks and other signs (in the same places of all these encodings) weigh nothing.
    private static func byteScores(_ language: Language) -> [Double] {
        let unlikely = log(0.0005)
        let undefined = log(0.00001)
        let letters = language.letters.unicodeScalars.map(\.value)
        let decay = letters.count > 24 ? 0.92 : 0.8
        var likelihood: [UInt32: Double] = [:]
        for (rank, letter) in letters.enumerated() where likelihood[letter] == nil {
            likelihood[letter] = max(log((1 - decay) * pow(decay, Double(rank))), unlikely / 2)
        }
        return (language.encoding.table ?? []).map { value in
            if let known = likelihood[value] { return known }
            if value == 0xFFFD { return undefined }
            let isPunctuation = (0x2010...0x203A).contains(value) || [0xA0, 0xAB, 0xBB, 0x20AC, 0xB7].contains(value)
            return isPunctuation ? 0 : unlikely
        }
    }
}
