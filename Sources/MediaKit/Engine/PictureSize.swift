/// The size that pictures shall have.
public struct PictureSize: Codable, Sendable, Equatable {
    /// How a picture of another shape goes into the box of `width` and `height`.
    public enum Fit: String, Codable, Sendable, CaseIterable {
        /// All of the picture is kept and its shape too; one side may be smaller than asked.
        case contain
        /// The box is filled, its shape kept; what sticks out is cut off evenly.
        case cover
        /// The box is filled by changing the picture's shape.
        case stretch
    }

    /// Pixels; if one is missing it follows from the picture's shape.
    public var width: Int?
    /// Pixels; if one is missing it follows from the picture's shape.
    public var height: Int?
    /// Default: contain.
    public var fit: Fit
    /// Whether a picture may be made larger than it is. Default false.
    public var enlarge: Bool

    /// Members that are not given take their defaults. At least one side is needed, each of 2…16384 pixels, which is
    /// checked when the request is.
    public init(width: Int? = nil, height: Int? = nil, fit: Fit = .contain, enlarge: Bool = false) {
        self.width = width
        self.height = height
        self.fit = fit
        self.enlarge = enlarge
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case width, height, fit, enlarge
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self)
        width = try values.decodeIfPresent(Int.self, forKey: .width)
        height = try values.decodeIfPresent(Int.self, forKey: .height)
        fit = try values.decodeIfPresent(Fit.self, forKey: .fit) ?? .contain
        enlarge = try values.decodeIfPresent(Bool.self, forKey: .enlarge) ?? false
    }

    func validate() throws {
        for (name, value) in [("width", width), ("height", height)] {
            if let value, !(2...16384).contains(value) {
                throw MediaError(.badRequest, "size.\(name) must lie between 2 and 16384, not \(value)")
            }
        }
        if width == nil, height == nil { throw MediaError(.badRequest, "size needs a width or a height") }
    }

    struct Resolved: Equatable {
        var width: Int
        var height: Int
        /// What is cut out of the middle of the source before scaling.
        var crop: (width: Int, height: Int)?

        static func == (a: Resolved, b: Resolved) -> Bool {
            a.width == b.width && a.height == b.height && a.crop?.width == b.crop?.width
                && a.crop?.height == b.crop?.height
        }
    }

    /// The size for a picture of `width` × `height` stored pixels, each of the shape `aspect`; in square pixels.
    func resolve(width: Int, height: Int, aspect: Rational, even: Bool) -> Resolved {
        // As it looks on screen.
        let shownWidth = Double(width) * aspect.value
        let shownHeight = Double(height)
        let boxWidth = Double(self.width ?? .max)
        let boxHeight = Double(self.height ?? .max)
        func whole(_ value: Double) -> Int {
            // A container may claim pixels of any shape; what is absurd fails in the filters.
            let value = min(max(value, 1), 16_777_216)
            return even ? max(2, Int((value / 2).rounded()) * 2) : Int(value.rounded())
        }
        let effective: Fit = self.width == nil || self.height == nil ? .contain : fit
        switch effective {
        case .contain:
            var scale = min(boxWidth / shownWidth, boxHeight / shownHeight)
            if !enlarge { scale = min(scale, 1) }
            return Resolved(width: whole(shownWidth * scale), height: whole(shownHeight * scale))
        case .stretch:
            return Resolved(
                width: whole(enlarge ? boxWidth : min(boxWidth, shownWidth)),
                height: whole(enlarge ? boxHeight : min(boxHeight, shownHeight)))
        case .cover:
            // The largest piece of the box's shape that the picture holds.
            let piece = min(shownWidth / boxWidth, shownHeight / boxHeight)
            let cropWidth = boxWidth * piece, cropHeight = boxHeight * piece
            let scale = enlarge ? 1 / piece : min(1, 1 / piece)
            let crop = (
                width: min(width, whole(cropWidth / aspect.value)), height: min(height, whole(cropHeight))
            )
            return Resolved(
                width: whole(cropWidth * scale), height: whole(cropHeight * scale),
                crop: crop.width == width && crop.height == height ? nil : crop)
        }
    }
}
