import CLibass

/// What a frame's captions are against those of the frame rendered before it.
public enum CaptionChange: Sendable, Equatable {
    /// No caption: the frame can be passed on untouched.
    case none
    /// The same picture as at the last `changed`, even if frames without a caption lie in between.
    case same
    /// A new picture.
    case changed
}

/// Renders an ASS script with libass, all from memory: no file of the script's naming is ever opened.
///
///     let renderer = try CaptionRenderer(script: bytes, geometry: CaptionGeometry(width: 1280, height: 720))
///     let compositor = try CaptionCompositor(layout: layout, width: 1280, height: 720)
///     switch renderer.render(at: 1500) {
///     case .none: break
///     case .changed: compositor.update(from: renderer); fallthrough
///     case .same: compositor.blend(into: planes)
///     }
///
/// Thread safety: not safe for use from two threads at once. Renderers share nothing, so each thread may have one.
public final class CaptionRenderer {
    /// Scripts above this size are refused, in bytes.
    public static let maximumScriptBytes = 128 << 20

    /// The frame that captions are laid out for.
    public let geometry: CaptionGeometry
    /// Which fonts stand in for others and what no font can draw, found before anything is rendered.
    public private(set) var fontReport = FontReport()

    /// Events that are left out because their sizes are absurd: to draw them would take minutes and gigabytes.
    public let droppedEventCount: Int

    let track: UnsafeMutablePointer<ASS_Track>
    let owner: CaptionLibrary
    var renderer: OpaquePointer { owner.renderer }
    var library: OpaquePointer { owner.library }
    var log: CaptionLog { owner.log }
    private var image: UnsafeMutablePointer<ASS_Image>?
    private var schedule: CaptionSchedule
    private var renderedSegment: Int?

    /// - Parameters:
    ///   - script: an ASS or SSA script in UTF-8.
    ///   - fonts: fonts to look in before the system's. Those attached to the script come along as well.
    ///   - defaultFamily: the family that stands in where the one asked for is not installed.
    ///   - wrapsAnywhere: whether lines may break by Unicode's rules, which text in Japanese or Chinese needs, instead
    ///     of at spaces only. Needs a libass with libunibreak, otherwise it has no effect.
    /// - Throws: `MediaError` with `badInput` for a script that libass cannot read, `badRequest` for an impossible
    ///   size, `resourceLimit` where memory or the script's size is the reason.
    public convenience init(
        script: [UInt8], fonts: [FontFile] = [], geometry: CaptionGeometry, defaultFamily: String? = nil,
        wrapsAnywhere: Bool = false
    ) throws {
        try self.init(
            script: script, geometry: geometry, wrapsAnywhere: wrapsAnywhere,
            library: try CaptionLibrary(fonts: fonts, defaultFamily: defaultFamily))
    }

    /// Renders a script whose events are apart from its text, with times exact to the millisecond.
    convenience init(
        script: ASSScript, geometry: CaptionGeometry, wrapsAnywhere: Bool = false, library owner: CaptionLibrary
    ) throws {
        try self.init(
            script: Array(script.header.utf8), events: script.events, geometry: geometry,
            wrapsAnywhere: wrapsAnywhere, library: owner)
    }

    /// - Parameter events: those that are not in the script itself. As text they would lose their milliseconds.
    init(
        script: [UInt8], events: [ASSEvent] = [], geometry: CaptionGeometry, wrapsAnywhere: Bool = false,
        library owner: CaptionLibrary
    ) throws {
        try geometry.validate()
        guard script.count <= Self.maximumScriptBytes else {
            throw MediaError(
                .resourceLimit, "the subtitle script has \(script.count) bytes",
                hint: "the limit is \(Self.maximumScriptBytes)")
        }
        var copy = script
        let parsed = copy.withUnsafeMutableBytes {
            ass_read_memory(owner.library, $0.bindMemory(to: CChar.self).baseAddress, $0.count, nil)
        }
        guard let track = parsed else {
            throw MediaError(
                .badInput, "the subtitles are not an ASS script",
                hint: "it needs a [Script Info] and an [Events] section",
                log: owner.log.drain().filter { $0.level <= 2 }.map(\.text))
        }
        for event in events {
            var chunk = Array(event.chunk.utf8)
            chunk.withUnsafeMutableBytes {
                ass_process_chunk(
                    track, $0.bindMemory(to: CChar.self).baseAddress, Int32($0.count), event.start,
                    event.end - event.start)
            }
        }
        if wrapsAnywhere { _ = ass_track_set_feature(track, ASS_FEATURE_WRAP_UNICODE, 1) }

        self.geometry = geometry
        self.owner = owner
        self.track = track
        droppedEventCount = Self.dropUnreasonableEvents(of: track, geometry: geometry)
        schedule = CaptionSchedule(Self.events(of: track))

        owner.findFonts()
        fontReport = makeFontReport(fonts: owner.fonts)
        setFrame(width: geometry.width, height: geometry.height)
        if geometry.sampleAspectRatio.isPositive, geometry.sampleAspectRatio.value != 1 {
            // libass's ratio is how much wider text is drawn than it is high, in the pixels that are rendered for.
            ass_set_pixel_aspect(renderer, geometry.sampleAspectRatio.inverse.value)
        }
    }

    deinit { ass_free_track(track) }

    /// The same sizes that libavfilter's `subtitles` filter sets, so that pictures agree.
    func setFrame(width: Int, height: Int) {
        ass_set_frame_size(renderer, Int32(width), Int32(height))
        ass_set_storage_size(renderer, Int32(width), Int32(height))
    }

    /// Renders what is on screen at a time.
    ///
    /// Costs next to nothing where no event is on screen, or where the same unmoving ones are as at the last call.
    /// - Parameter milliseconds: the frame's time, any fraction cut off.
    public func render(at milliseconds: Int64) -> CaptionChange {
        guard let segment = schedule.index(at: milliseconds), schedule.segments[segment].events > 0 else {
            return .none
        }
        if segment == renderedSegment, !schedule.segments[segment].isAnimated {
            return image == nil ? .none : .same
        }
        var change: Int32 = 0
        let hadImage = image != nil
        image = ass_render_frame(renderer, track, milliseconds, &change)
        renderedSegment = segment
        if image == nil { return .none }
        return change == 0 && hadImage ? .same : .changed
    }

    /// The first time at or after the given one, both in milliseconds, when a caption may be on screen. Until then,
    /// `render(at:)` need not be called. Nil when nothing comes any more.
    public func nextVisible(from milliseconds: Int64) -> Int64? {
        schedule.nextVisible(from: milliseconds)
    }

    /// libass's warnings and errors since the last call, oldest first, without those about fonts: the report has them.
    public func takeWarnings() -> [String] {
        log.drain().filter { $0.level <= 2 && !$0.text.hasPrefix("fontselect:") && !$0.text.hasPrefix("Glyph 0x") }
            .map(\.text)
    }

    /// How many styles and events libass found in the script.
    public var styleCount: Int { Int(track.pointee.n_styles) }
    /// How many events libass found in the script, those that were dropped among them.
    public var eventCount: Int { Int(track.pointee.n_events) }

    /// The picture of the last render, back to front. Valid until the next one.
    func bitmaps(frameWidth: Int, frameHeight: Int) -> [CaptionBitmap] {
        var bitmaps: [CaptionBitmap] = []
        var next = image
        while let image = next {
            if let bitmap = CaptionBitmap(image.pointee, frameWidth: frameWidth, frameHeight: frameHeight) {
                bitmaps.append(bitmap)
            }
            next = image.pointee.next
        }
        return bitmaps
    }

    private static func events(of track: UnsafeMutablePointer<ASS_Track>) -> [CaptionSchedule.Event] {
        let events = UnsafeBufferPointer(start: track.pointee.events, count: Int(track.pointee.n_events))
        return events.filter { $0.Text.map { $0.pointee != 0 } ?? false }.map { event in
            let (end, overflow) = event.Start.addingReportingOverflow(event.Duration)
            return CaptionSchedule.Event(
                start: event.Start, end: overflow ? .max : end,
                isAnimated: CaptionSchedule.isAnimated(
                    text: CStringBytes(event.Text), hasEffect: event.Effect.map { $0.pointee != 0 } ?? false))
        }
    }
}

/// The bytes of a C string up to its zero.
struct CStringBytes: Sequence, IteratorProtocol {
    private var position: UnsafePointer<CChar>?

    init(_ string: UnsafePointer<CChar>?) { position = string }
    init(_ string: UnsafeMutablePointer<CChar>?) { position = UnsafePointer(string) }

    mutating func next() -> UInt8? {
        guard let pointer = position, pointer.pointee != 0 else { return nil }
        position = pointer + 1
        return UInt8(bitPattern: pointer.pointee)
    }
}
