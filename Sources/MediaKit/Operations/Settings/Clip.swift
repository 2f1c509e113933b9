/// A clip or still image of a sequence.
public struct Clip: Codable, Sendable, Equatable {
    /// A location that the engine's resolver knows: a path, or `-`.
    public var input: String
    /// Seconds of a moving clip, on its own clock, at which it is entered. Default: its beginning.
    public var start: Double?
    /// Seconds on the same clock at which it is left. Default: its end.
    public var end: Double?
    /// Seconds that a still image is shown. Default 5.
    public var duration: Double?
    /// How it goes into the picture, where its shape is another. Default: what `video.size` says, else contain.
    public var fit: PictureSize.Fit?

    /// Members that are not given take their defaults; nothing is checked before the request is.
    public init(
        input: String, start: Double? = nil, end: Double? = nil, duration: Double? = nil, fit: PictureSize.Fit? = nil
    ) {
        self.input = input
        self.start = start
        self.end = end
        self.duration = duration
        self.fit = fit
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case input, start, end, duration, fit
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self)
        input = try values.decode(String.self, forKey: .input)
        start = try values.decodeIfPresent(Double.self, forKey: .start)
        end = try values.decodeIfPresent(Double.self, forKey: .end)
        duration = try values.decodeIfPresent(Double.self, forKey: .duration)
        fit = try values.decodeIfPresent(PictureSize.Fit.self, forKey: .fit)
    }

    func validate() throws {
        try validateWindow(start: start, end: end)
        if let duration, !(0.01...86_400).contains(duration) {
            throw MediaError(.badRequest, "duration must lie between 0.01 and 86,400 seconds, not \(duration)")
        }
        if duration != nil, start != nil || end != nil {
            throw MediaError(
                .badRequest, "duration excludes start and end", hint: "a still has a duration, a moving clip the others"
            )
        }
    }

    static let usualStillSeconds = 5.0
}

/// How one clip goes over into the next.
public struct CrossFade: Codable, Sendable, Equatable {
    /// What it looks like, by the names of libavfilter's `xfade`.
    public enum Transition: String, Codable, Sendable, CaseIterable {
        /// One picture through the other.
        case fade, dissolve
        /// By way of a colour.
        case fadeblack, fadewhite
        /// An edge that moves over the picture.
        case wipeleft, wiperight, wipeup, wipedown
        /// The next picture pushes the last out.
        case slideleft, slideright, slideup, slidedown
        /// A soft edge that moves over the picture.
        case smoothleft, smoothright, smoothup, smoothdown
        /// A shape that grows or shrinks.
        case circleopen, circleclose, circlecrop, rectcrop, horzopen, horzclose, vertopen, vertclose, radial
        /// The picture in coarse blocks, or blurred sideways.
        case pixelize, hblur
    }

    /// Default: fade.
    public var transition: Transition
    /// How long both are seen and heard, 0.01…60. Where a clip is shorter than twice that, its fades are shortened to
    /// half of it, and a warning says so.
    public var seconds: Double

    /// Nothing is checked before the request is.
    public init(_ transition: Transition = .fade, seconds: Double) {
        self.transition = transition
        self.seconds = seconds
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case transition, seconds
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self)
        transition = try values.decodeIfPresent(Transition.self, forKey: .transition) ?? .fade
        seconds = try values.decode(Double.self, forKey: .seconds)
    }

    func validate() throws {
        guard (0.01...60).contains(seconds) else {
            throw MediaError(.badRequest, "crossFade.seconds must lie between 0.01 and 60, not \(seconds)")
        }
    }
}
