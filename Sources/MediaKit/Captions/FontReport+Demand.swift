import CLibass

/// A font as a script asks for it: libass picks one for each of these.
struct FontRequest: Hashable {
    var family: String
    /// 400 regular, 700 bold; ASS allows any weight from 100 on.
    var weight: Int
    var isItalic: Bool
}

/// Which characters a script shows in which font, in the order in which they first appear.
struct FontDemand {
    /// More different characters than this in one font are not looked at. All of Unicode's scripts in use have fewer.
    static let maximumCharacters = 20_000
    /// More different fonts than this are not looked at.
    static let maximumRequests = 256

    private(set) var requests: [FontRequest] = []
    private(set) var characters: [FontRequest: [Unicode.Scalar]] = [:]
    private(set) var isPartial = false
    private var seen: [FontRequest: Set<UInt32>] = [:]

    init(_ track: ASS_Track) {
        let styles = UnsafeBufferPointer(start: track.styles, count: Int(track.n_styles))
        for event in UnsafeBufferPointer(start: track.events, count: Int(track.n_events)) {
            guard let text = event.Text, event.Duration > 0, styles.indices.contains(Int(event.Style)) else { continue }
            add(String(cString: text), style: styles[Int(event.Style)], styles: styles)
        }
    }

    private static func request(_ style: ASS_Style) -> FontRequest {
        FontRequest(
            family: style.FontName.map { String(cString: $0) } ?? "", weight: weight(Int(style.Bold)),
            isItalic: style.Italic != 0)
    }

    private static func weight(_ bold: Int) -> Int { bold == 1 || bold == -1 ? 700 : bold <= 0 ? 400 : bold }

    private mutating func add(_ text: String, style: ASS_Style, styles: UnsafeBufferPointer<ASS_Style>) {
        let plain = Self.request(style)
        var current = plain
        var base = plain
        var isDrawing = false
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case "{":
                guard let end = rest.firstIndex(of: "}") else {
                    // An unclosed brace is shown as it is.
                    note(scalar, in: current)
                    continue
                }
                for tag in rest[..<end].split(separator: "\\").dropFirst(rest.first == "\\" ? 0 : 1) {
                    Self.apply(tag, to: &current, base: &base, plain: plain, isDrawing: &isDrawing, styles: styles)
                }
                rest = rest[rest.index(after: end)...]
            case "\\":
                if let next = rest.first, "Nnh{}".unicodeScalars.contains(next) { rest.removeFirst() }
            default:
                if !isDrawing { note(scalar, in: current) }
            }
        }
    }

    private static func apply(
        _ tag: Substring.UnicodeScalarView, to current: inout FontRequest, base: inout FontRequest, plain: FontRequest,
        isDrawing: inout Bool, styles: UnsafeBufferPointer<ASS_Style>
    ) {
        let text = String(tag)
        func value(after name: String) -> String? {
            guard text.hasPrefix(name) else { return nil }
            let value = text.dropFirst(name.count).drop { $0 == " " }
            return String(value.prefix { $0 != ")" })
        }
        func number(after name: String) -> Int?? {
            guard let value = value(after: name) else { return nil }
            return value.isEmpty ? .some(nil) : Int(value.prefix { $0 == "-" || $0.isNumber }).map { .some($0) }
        }
        if let family = value(after: "fn") {
            current.family = family.isEmpty || family == "0" ? base.family : family
        } else if let bold = number(after: "b") {
            current.weight = bold.map { $0 == 0 || $0 == 1 || $0 >= 100 ? weight($0) : base.weight } ?? base.weight
        } else if let italic = number(after: "i") {
            current.isItalic = italic.map { $0 == 1 } ?? base.isItalic
        } else if let drawing = number(after: "p") {
            isDrawing = (drawing ?? 0) > 0
        } else if let name = value(after: "r"), !text.hasPrefix("rnd") {
            let style = styles.last { style in style.Name.map { String(cString: $0) == name } ?? false }
            base = style.map(request) ?? plain
            current = base
        }
    }

    private mutating func note(_ scalar: Unicode.Scalar, in request: FontRequest) {
        guard scalar.value >= 0x20, !scalar.properties.isDefaultIgnorableCodePoint else { return }
        if seen[request] == nil {
            guard requests.count < Self.maximumRequests else {
                isPartial = true
                return
            }
            requests.append(request)
        }
        guard seen[request, default: []].count < Self.maximumCharacters else {
            isPartial = true
            return
        }
        if seen[request, default: []].insert(scalar.value).inserted {
            characters[request, default: []].append(scalar)
        }
    }
}
