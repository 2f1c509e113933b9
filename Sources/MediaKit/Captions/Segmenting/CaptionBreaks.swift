/// How good a place for a break is, between two atoms: 0 for the end of a sentence, more for worse.
struct CaptionBreaks {
    let language: CaptionLanguage

    func cost(after before: CaptionAtom, before after: CaptionAtom) -> Double {
        let last = before.text
        switch CaptionPunctuation.end(of: last) {
        case .sentence: return 0
        case .clause: return 2
        case .none: break
        }
        let word = Self.plain(last)
        let next = Self.plain(after.text)
        var cost = 7.0
        if language.conjunctions.contains(next) {
            cost = 4
        } else if language.prepositions.contains(next) {
            cost = 5
        } else if language.hasParticles, let particle = last.last, "はがをにでともへや".contains(particle) {
            cost = 5
        }
        if language.leaning.contains(word) || language.prepositions.contains(word)
            || language.conjunctions.contains(word)
        {
            cost += 5
        } else if isName(last), isName(after.text) {
            cost += 2
        }
        return cost
    }

    private func isName(_ text: String) -> Bool {
        text.first?.isUppercase == true && text.dropFirst().contains { $0.isLowercase }
    }

    private static func plain(_ text: String) -> String {
        text.lowercased().filter { $0.isLetter || $0 == "'" }
    }
}

/// Breaks a caption's atoms into lines.
struct CaptionLines {
    let rules: FilledCaptionRules
    let breaks: CaptionBreaks

    /// Lines of about the same length, as few as possible, broken at good places; `nil` where they are too many.
    ///
    /// - Parameter reserved: what is taken of the first line already.
    func lines(of atoms: ArraySlice<CaptionAtom>, reserved: Double) -> [Range<Int>]? {
        guard let least = count(atoms, reserved: reserved) else { return nil }
        guard least > 1 else { return [atoms.startIndex..<atoms.endIndex] }
        return best(atoms, lines: least, reserved: reserved)
    }

    /// How many lines are needed when each is filled; `nil` if more than there may be.
    func count(_ atoms: ArraySlice<CaptionAtom>, reserved: Double) -> Int? {
        var filler = Filler(rules: rules, reserved: reserved)
        for atom in atoms { guard filler.add(atom) else { return nil } }
        return filler.lines
    }

    /// Fills lines one atom after the other.
    struct Filler {
        let rules: FilledCaptionRules
        var used: Double
        var lines = 1
        private var isLineEmpty = true

        init(rules: FilledCaptionRules, reserved: Double) {
            self.rules = rules
            used = reserved
        }

        /// Takes the first atom, however long it is: what is longer than a line stands alone.
        mutating func begin(with atom: CaptionAtom) {
            guard !add(atom) else { return }
            (used, lines, isLineEmpty) = (.infinity, rules.lines, false)
        }

        /// `false` if there is no room any more.
        mutating func add(_ atom: CaptionAtom) -> Bool {
            let needed = atom.length + (!isLineEmpty && atom.followsBlank ? rules.blank : 0)
            if used + needed <= rules.lineLength + 1e-9 {
                used += needed
            } else {
                guard !isLineEmpty, lines < rules.lines, atom.length <= rules.lineLength + 1e-9 else { return false }
                lines += 1
                used = atom.length
            }
            isLineEmpty = false
            return true
        }
    }

    private func best(_ atoms: ArraySlice<CaptionAtom>, lines: Int, reserved: Double) -> [Range<Int>]? {
        let base = atoms.startIndex
        let count = atoms.count
        // Lengths up to each atom, with the blank before it.
        var sums = [0.0]
        for atom in atoms { sums.append((sums.last ?? 0) + atom.length + (atom.followsBlank ? rules.blank : 0)) }
        func length(_ from: Int, _ to: Int) -> Double {
            sums[to] - sums[from] - (atoms[base + from].followsBlank ? rules.blank : 0) + (from == 0 ? reserved : 0)
        }
        let target = length(0, count) / Double(lines)
        var costs = [[Double]](repeating: [Double](repeating: .infinity, count: count + 1), count: lines + 1)
        var origins = [[Int]](repeating: [Int](repeating: 0, count: count + 1), count: lines + 1)
        costs[0][0] = 0
        for line in 1...lines {
            for end in 1...count {
                for start in 0..<end where costs[line - 1][start].isFinite {
                    let width = length(start, end)
                    guard width <= rules.lineLength + 1e-9 else { continue }
                    let unevenness = (width - target) / rules.lineLength
                    var cost = costs[line - 1][start] + unevenness * unevenness * 30
                    if end < count {
                        cost += breaks.cost(after: atoms[base + end - 1], before: atoms[base + end]) * 0.7
                    }
                    if count > 2 * lines - 1, Self.isOrphan(atoms[(base + start)..<(base + end)], rules) { cost += 12 }
                    if cost < costs[line][end] { (costs[line][end], origins[line][end]) = (cost, start) }
                }
            }
        }
        guard costs[lines][count].isFinite else { return nil }
        var ranges: [Range<Int>] = []
        var end = count
        for line in stride(from: lines, through: 1, by: -1) {
            let start = origins[line][end]
            ranges.append(base + start..<base + end)
            end = start
        }
        return ranges.reversed()
    }

    /// Whether some atoms are a lone short word, or two of the characters that are written without blanks.
    static func isOrphan(_ atoms: ArraySlice<CaptionAtom>, _ rules: FilledCaptionRules) -> Bool {
        let length = atoms.reduce(0) { $0 + $1.length }
        let words = atoms.count { $0.followsBlank }
        return words <= 1 && length <= rules.lineLength * 0.19
    }
}
