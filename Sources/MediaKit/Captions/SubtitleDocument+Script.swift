extension SubtitleDocument {
    /// The ASS script that is drawn on pictures of the canvas's size, and warnings of its making.
    ///
    /// - Parameter overridesStyles: whether `style` takes the place of an ASS script's own styles.
    package func script(
        for canvas: CaptionCanvas, style: CaptionStyle, overridesStyles: Bool = false, fonts: [FontFile] = []
    ) throws -> (text: String, warnings: [SubtitleWarning]) {
        switch content {
        case .ass(let script):
            let sized = script.settingPlayRes()
            guard overridesStyles else { return (sized.text, []) }
            return (sized.replacingStyles(with: style, geometry: canvas).text, [])
        case .cues(let cues):
            let measurer = try CaptionTextMeasurer(fonts: fonts, defaultFamily: style.fontFamily)
            let family = style.fontFamily
            let writer = ASSWriter(style: style, geometry: canvas) { text, bold, italic in
                measurer.width(of: text, family: family, bold: bold, italic: italic)
            }
            let written = writer.write(cues)
            return (written.script.text, written.warnings)
        }
    }
}
