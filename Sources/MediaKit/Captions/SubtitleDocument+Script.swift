extension SubtitleDocument {
    /// The script to draw: cues laid out in `style`, a script of its own as it is.
    ///
    /// - Parameters:
    ///   - replacesStyles: gives the styles of an ASS script the look of `style` too.
    ///   - measure: the width of text in the font that will be used; the built-in estimate by default.
    /// - Returns: the script, and warnings about cues that had to be shown in parts.
    /// - Throws: `badRequest` where `style` is out of range.
    public func script(
        style: CaptionStyle, geometry: CaptionCanvas, replacesStyles: Bool = false,
        measure: @escaping TextMeasure = TextLayoutWidth.estimate
    ) throws(MediaError) -> (script: ASSScript, warnings: [SubtitleWarning]) {
        switch content {
        case .cues(let cues):
            return try ASSWriter(style: style, geometry: geometry, measure: measure).write(cues)
        case .ass(let script):
            guard replacesStyles else { return (script.settingPlayRes(), []) }
            return (try script.replacingStyles(with: style, geometry: geometry), [])
        }
    }
}
