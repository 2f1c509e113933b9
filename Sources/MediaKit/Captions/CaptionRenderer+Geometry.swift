/// The picture that captions are laid out for.
public struct CaptionGeometry: Hashable, Sendable {
    /// Stored pixels of a frame.
    public var width: Int
    /// Stored pixels of a frame.
    public var height: Int
    /// Width of a stored pixel by its height, so that letters keep their shape when the picture is shown. Where it is
    /// unknown, pixels are square. With 1/1, text is stretched along with an anamorphic picture, which is what authors
    /// of ASS scripts count on and what libavfilter does.
    public var sampleAspectRatio: Rational

    /// Pixels are square unless said otherwise. Sides go from 1 to 32,768, which ``CaptionRenderer`` checks.
    public init(width: Int, height: Int, sampleAspectRatio: Rational = Rational(1, 1)) {
        self.width = width
        self.height = height
        self.sampleAspectRatio = sampleAspectRatio
    }

    /// The largest side that is rendered for, in pixels.
    static let maximumSide = 32768

    func validate() throws {
        guard (1...Self.maximumSide).contains(width), (1...Self.maximumSide).contains(height) else {
            throw MediaError(
                .badRequest, "captions cannot be laid out for a frame of \(width)×\(height) pixels",
                hint: "sides go from 1 to \(Self.maximumSide)")
        }
    }
}
