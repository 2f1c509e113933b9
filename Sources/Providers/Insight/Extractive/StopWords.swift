/// Words that say nothing of what a text is about, by language.
struct StopWords: Sendable {
    /// An ISO 639-1 code of those that are known.
    let language: String
    private let words: Set<String>

    /// - Parameter language: a BCP 47 tag; of one that is not known, or `nil`, the list is taken most of whose words occur.
    init(language: String?, sample: [String]) {
        let code = language.map { String($0.lowercased().prefix { $0 != "-" && $0 != "_" }) }
        if let code, let list = Self.lists.first(where: { $0.language == code }) {
            self.language = code
            words = list.words
            return
        }
        var best = (language: "en", words: Self.lists[0].words, count: -1)
        for list in Self.lists {
            let count = sample.reduce(0) { $0 + (list.words.contains($1) ? 1 : 0) }
            if count > best.count { best = (list.language, list.words, count) }
        }
        // A language that is named, but not known, keeps its name: rules that want one leave it alone.
        self.language = code ?? best.language
        words = code == nil || best.count > sample.count / 5 ? best.words : []
    }

    func contains(_ word: String) -> Bool { words.contains(word) }

    private static let lists: [(language: String, words: Set<String>)] = [
        (
            "en",
            set(
                """
                a about above after again all also am an and any anyway are as at be because been before being below between
                bit both but by bye can cause come could did do does doing don down during each else even ever every few for
                from further get give go going gonna good got gotta great had has have having he hello her here hers hey hi
                him his how i if in into is it its just kind know let like little ll look lot m make many may maybe me mean
                might more most much must my need no nor not now of off oh ok okay on once one only or other our out over own
                please pretty probably put re really right s said same say see she should so some something sort still stuff
                such sure t take tell than thank thanks that the their them then there these they thing things think this
                those though through to too um uh under until up us ve very wanna want was way we well were what when where
                which while who whom why will with would yeah yep yes yet you your yours i'm you're he's she's it's we're
                they're i've you've we've they've i'd you'd he'd she'd we'd they'd i'll you'll he'll she'll we'll they'll
                isn't aren't wasn't weren't hasn't haven't hadn't doesn't don't didn't won't wouldn't can't couldn't shouldn't
                let's that's who's what's here's there's
                """)
        ),
        (
            "de",
            set(
                """
                aber alle allem allen aller alles als also am an ander andere anderen auch auf aus bei beim bin bis bist bitte da
                dann danke das dass dein deine dem den denn der des dich die dies diese diesem diesen dieser dieses dir doch dort
                du durch ein eine einem einen einer eines einfach er es etwas euch euer für genau gerne gut hab habe haben hallo
                hat hatte hatten hier hin ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in ins ist ja jede jedem jeden jeder
                jetzt kann kein keine keinen können könnte machen mal man mehr mein meine meinem meinen mich mir mit muss nach
                natürlich nein nicht nichts noch nun nur ob oder ohne okay schon sehr sein seine seit sich sie sind so soll
                sollte sondern um und uns unser unsere unter viel vom von vor war waren was weil weiter welche wenn wer werde
                werden wie wieder will wir wird wirklich wo wollen worden wurde würde zu zum zur zwar zwischen über
                """)
        ),
        (
            "es",
            set(
                """
                a al algo ante antes aquí así aunque bien bueno cada como con contra cual cuando de del desde donde dos durante e
                el ella ellas ellos en entonces entre era eran es esa ese eso esta estaba está están estar este esto estoy fue
                gracias ha hace hacer hasta hay hola la las le les lo los me mi mis mucho muy más nada ni no nos nosotros nuestra
                nuestro o os otra otro para pero poco por porque pues que qué quien se sea ser si sí sin sobre solo son su sus
                también tan tanto te tengo tiene tienen todo todos tu tus un una uno unos usted va vale vamos voy y ya yo
                """)
        ),
        (
            "fr",
            set(
                """
                à ai alors au aussi autre aux avec avez avoir avons bien bon bonjour c' ça ce cela ces cet cette comme dans de
                des deux dire dit donc du d'accord elle elles en encore est et étais était être eu fait faire faut il ils j'ai je
                l la là le les leur lui ma mais me merci mes mettre moi mon même ne nous non nos notre on ont or ou où oui par
                parce pas peu peut plus pour pouvez quand que quel quelle qui quoi sa sans se sera ses si son sont suis sur ta te
                tes toi ton tous tout très tu un une va vais voilà vos votre vous vraiment y c'est n'est qu'il qu'on s'il
                """)
        ),
        (
            "pt",
            set(
                """
                a ao aos as assim até bem bom com como da das de dela dele depois do dos e ela elas ele eles em então entre era
                essa esse esta está estão estar este estou eu faz fazer foi há isso isto já lá lhe mais mas me mesmo meu minha
                muito na nas não nem no nos nossa nosso num numa o obrigado obrigada ok olá os ou para pela pelo por porque pra
                quando que quem se sem ser seu sim são só sua também te tem tenho ter tudo um uma umas uns vai vamos você vocês
                vou é à às
                """)
        ),
        (
            "it",
            set(
                """
                a ad ai al alla alle allora anche avere aveva bene buongiorno c'è che chi ci ciao come con cosa così da dal dalla
                dei del della delle di dove due e ecco ed era essere fa fare fatto gli grazie ha hai hanno ho i il in io la le
                lei lo loro lui ma me mi mia mio molto ne nel nella no noi non nostra nostro o ok ora per perché però più poi
                proprio quando quella quello questa questo qui quindi se sei si sia siamo solo sono sta su sua suo tra tu tutti
                tutto un una uno va vi voi è
                """)
        ),
    ]

    private static func set(_ text: String) -> Set<String> {
        Set(text.split(whereSeparator: \.isWhitespace).map(String.init))
    }
}

/// The words of a text in small letters, for counting.
enum SpokenWords {
    /// A word as it counts, and as it stands in the text.
    struct Word: Sendable, Equatable {
        var key: String
        var surface: Substring
        /// Whether punctuation follows: a phrase does not go across it.
        var endsPhrase: Bool
    }

    /// Words in order. Scripts without blanks give pairs of letters.
    static func words(in text: String) -> [Word] {
        var words: [Word] = []
        var start: String.Index?
        func close(_ end: String.Index) {
            guard let begin = start else { return }
            start = nil
            append(text[begin..<end], to: &words)
        }
        for index in text.indices {
            let character = text[index]
            let joins = start != nil && "'’-".contains(character)
            if character.isLetter || character.isNumber || joins {
                if start == nil { start = index }
            } else {
                close(index)
                if !character.isWhitespace, let last = words.indices.last { words[last].endsPhrase = true }
            }
        }
        close(text.endIndex)
        return words
    }

    private static func append(_ run: Substring, to words: inout [Word]) {
        var run = run
        while let last = run.last, "'’-".contains(last) { run.removeLast() }
        guard let first = run.unicodeScalars.first else { return }
        guard (0x3041...0x9FFF).contains(first.value), run.count > 2 else {
            words.append(Word(key: key(run), surface: run, endsPhrase: false))
            return
        }
        var index = run.startIndex
        while let next = run.index(index, offsetBy: 2, limitedBy: run.endIndex) {
            let pair = run[index..<next]
            words.append(Word(key: String(pair), surface: pair, endsPhrase: true))
            index = run.index(after: index)
        }
    }

    private static func key(_ run: Substring) -> String {
        String(run.lowercased().map { $0 == "’" ? "'" : $0 })
    }
}
