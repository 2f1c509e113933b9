/// Reads libass's messages about fonts.
///
/// It says `fontselect: (Family, weight, slant) -> file-or-family, index, PostScript name` when it opens a font; before
/// that, `Glyph 0x… not found, selecting one more font for (…)` if it is for one character; and `fontselect: failed to
/// find any fallback with glyph 0x…` or `Glyph 0x… not found in font for (…)` when it gives up (libass 0.14 to 0.17,
/// ass_font.c and ass_fontselect.c).
struct FontMessageReader {
    private static let failedSearch = "fontselect: failed to find any fallback with glyph 0x"

    private var substitutions: [FontReport.Substitution] = []
    private var missing: [(family: String, codePoints: Set<UInt32>)] = []
    private var resolved: Set<FontRequest> = []
    private var facts: [String: FontFacts] = [:]
    /// The character that libass looks for a further font for.
    private var wanted: UInt32?
    private let memoryFonts: [FontFacts]
    private let unusableFonts: [String]

    /// - Parameter fonts: the fonts in memory that libass was given.
    init(fonts: [FontFile] = []) {
        let facts = fonts.map { FontFacts.all(in: $0.bytes) }
        memoryFonts = facts.flatMap { $0 }
        unusableFonts = zip(fonts, facts).compactMap { font, facts in
            facts.contains { $0.hasOutlines } ? nil : font.name
        }
    }

    var report: FontReport {
        var report = FontReport()
        report.substitutions = substitutions
        report.unusableFonts = unusableFonts
        report.missing = missing.map { FontReport.MissingGlyphs(family: $0.family, codePoints: $0.codePoints.sorted()) }
        return report
    }

    mutating func read(_ messages: [CaptionLog.Message], for request: FontRequest) {
        for message in messages {
            let text = message.text[...]
            if let glyph = Self.codePoint(in: text, after: "Glyph 0x") {
                if text.contains("selecting one more") {
                    settle(request)
                    wanted = glyph
                } else if text.contains("not found in font for") {
                    note(glyph, request)
                    wanted = nil
                }
            } else if let glyph = Self.codePoint(in: text, after: Self.failedSearch) {
                if glyph != 0 { note(glyph, request) }
                wanted = nil
            } else if text.hasPrefix("fontselect: ("), let choice = Self.choice(in: text) {
                if let glyph = wanted {
                    // A font of colour bitmaps alone knows the character, but has no outline that libass could fill.
                    if !facts(of: choice).hasOutlines { note(glyph, request) }
                } else if resolved.insert(request).inserted {
                    noteSubstitution(request, choice)
                }
                wanted = nil
            } else if text.hasPrefix("Got a font face that already is available") {
                wanted = nil
            }
        }
        settle(request)
    }

    /// A search that nothing is said of failed: libass opens ten fonts for one style at most.
    private mutating func settle(_ request: FontRequest) {
        if let glyph = wanted { note(glyph, request) }
        wanted = nil
    }

    private mutating func note(_ glyph: UInt32, _ request: FontRequest) {
        if let index = missing.firstIndex(where: { $0.family == request.family }) {
            missing[index].codePoints.insert(glyph)
        } else {
            missing.append((request.family, [glyph]))
        }
    }

    private mutating func noteSubstitution(_ request: FontRequest, _ choice: Choice) {
        let requested = request.family.drop { $0 == "@" || $0 == " " }.lowercased()
        // CSS's generic families mean "any such font", which is what they get.
        let generic: Set = ["", "sans", "sans-serif", "serif", "monospace", "cursive", "fantasy", "system-ui"]
        guard !generic.contains(requested) else { return }
        let facts = facts(of: choice)
        let names = facts.names + [choice.postScriptName].compactMap { $0 }
        guard !names.contains(where: { $0.lowercased() == requested }) else { return }
        // Of a font that came with the script, only the PostScript name is known: the family without spaces.
        let family = choice.postScriptName?.prefix { $0 != "-" }.lowercased()
        if !choice.font.hasPrefix("/"), family == requested.filter({ $0 != " " }) { return }
        let substitution = FontReport.Substitution(
            requested: request.family, actual: facts.names.first ?? choice.postScriptName ?? choice.font)
        if !substitutions.contains(substitution) { substitutions.append(substitution) }
    }

    private mutating func facts(of choice: Choice) -> FontFacts {
        let key = "\(choice.font)#\(choice.index)"
        if let known = facts[key] { return known }
        let found: FontFacts?
        if choice.font.hasPrefix("/") {
            found = FontFacts(path: choice.font, index: choice.index)
        } else {
            // One from memory is named by its PostScript name or its family.
            found = memoryFonts.first { $0.names.contains(choice.font) }
        }
        let result = found ?? FontFacts(names: [], hasOutlines: true)
        facts[key] = result
        return result
    }

    struct Choice: Equatable {
        /// An absolute path, or a family's name for a font from memory.
        var font: String
        var index: Int
        var postScriptName: String?
    }

    static func choice(in text: Substring) -> Choice? {
        guard let arrow = text.range(of: ") -> ") else { return nil }
        let fields = text[arrow].dropFirst(5).split(separator: ",", omittingEmptySubsequences: false)
        guard fields.count >= 3 else { return nil }
        let name = fields[fields.count - 1].drop { $0 == " " }
        let index = Int(fields[fields.count - 2].drop { $0 == " " }) ?? 0
        let font = fields.dropLast(2).joined(separator: ",")
        return Choice(font: font, index: index, postScriptName: name == "(none)" ? nil : String(name))
    }

    static func codePoint(in text: Substring, after prefix: String) -> UInt32? {
        guard text.hasPrefix(prefix) else { return nil }
        return UInt32(text.dropFirst(prefix.count).prefix { $0.isHexDigit }, radix: 16)
    }
}

extension Substring {
    /// Where the last occurrence of some text begins, in a form that `self[...]` takes.
    fileprivate func range(of text: String) -> PartialRangeFrom<Index>? {
        var start = endIndex
        while start > startIndex {
            start = index(before: start)
            if self[start...].hasPrefix(text) { return start... }
        }
        return nil
    }
}
