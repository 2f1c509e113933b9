/// One of nine places of the frame.
public enum CaptionAnchor: String, Sendable, Codable, CaseIterable {
    /// At the lower edge.
    case bottomLeft, bottom, bottomRight
    /// Halfway up the frame; `center` is its middle.
    case left, center, right
    /// At the upper edge.
    case topLeft, top, topRight

    /// The number of ASS's `\an`, as on a numeric keypad: 1 is bottom left, 9 top right.
    public var assNumber: Int { (CaptionAnchor.allCases.firstIndex(of: self) ?? 1) + 1 }

    /// `nil` unless `assNumber` is 1 to 9.
    public init?(assNumber: Int) {
        guard (1...9).contains(assNumber) else { return nil }
        self = CaptionAnchor.allCases[assNumber - 1]
    }

    /// From the numbers of the older `\a` and of SSA's styles: 1-3 below, 5-7 above, 9-11 in the middle.
    init?(legacyNumber: Int) {
        switch legacyNumber {
        case 1...3: self.init(assNumber: legacyNumber)
        case 5...7: self.init(assNumber: legacyNumber + 2)
        case 9...11: self.init(assNumber: legacyNumber - 5)
        default: return nil
        }
    }

    enum Horizontal: Int { case left, center, right }
    enum Vertical: Int { case bottom, middle, top }

    init(_ horizontal: Horizontal, _ vertical: Vertical) {
        self = CaptionAnchor.allCases[vertical.rawValue * 3 + horizontal.rawValue]
    }

    var horizontal: Horizontal { Horizontal(rawValue: (assNumber - 1) % 3) ?? .center }
    var vertical: Vertical { Vertical(rawValue: (assNumber - 1) / 3) ?? .bottom }

    public init(from decoder: any Swift.Decoder) throws {
        let name = try decoder.singleValueContainer().decode(String.self)
        guard let anchor = CaptionAnchor(rawValue: name) else {
            let names = CaptionAnchor.allCases.map(\.rawValue)
            throw MediaError(
                .badRequest, "“\(name)” is no anchor",
                hint: "did you mean “\(NearestName.of(name, in: names))”? There are " + names.joined(separator: ", "))
        }
        self = anchor
    }
}
