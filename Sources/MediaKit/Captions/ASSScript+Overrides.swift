extension ASSScript {
    /// The size that the script's positions and font sizes count in.
    ///
    /// Where a script says nothing it is 384×288, as in VSFilter and libass; where it has only one side, the other
    /// follows from 4:3.
    public var playRes: (width: Double, height: Double) {
        let sections = ASSSections(header)
        switch (sections.infoNumber("playresx"), sections.infoNumber("playresy")) {
        case (let width?, let height?): return (width, height)
        case (let width?, nil): return (width, (width * 3 / 4).rounded())
        case (nil, let height?): return ((height * 4 / 3).rounded(), height)
        case (nil, nil): return (384, 288)
        }
    }

    /// The same script with `PlayResX` and `PlayResY` written out, so that no renderer has to assume them.
    public func settingPlayRes() -> ASSScript {
        var sections = ASSSections(header)
        let hasBoth = sections.infoNumber("playresx") != nil && sections.infoNumber("playresy") != nil
        if hasBoth { return self }
        let (width, height) = playRes
        sections.lines.removeAll {
            $0.section == .info && ($0.value(of: "playresx") != nil || $0.value(of: "playresy") != nil)
        }
        let additions = ["PlayResX: \(Int(width))", "PlayResY: \(Int(height))"].map {
            ASSSections.Line(text: $0, section: .info, number: 0)
        }
        if let info = sections.lines.firstIndex(where: { $0.section == .info }) {
            sections.lines.insert(contentsOf: additions, at: info + 1)
        } else {
            let head = ASSSections.Line(text: "[Script Info]", section: .info, number: 0)
            sections.lines.insert(contentsOf: [head] + additions, at: 0)
        }
        return ASSScript(header: sections.text, events: events)
    }

    /// The same script with every style's look replaced by `style`; the names stay, and so do override tags in the
    /// events.
    ///
    /// - Parameter geometry: the frame that it will be drawn on, which `style`'s fractions refer to.
    /// - Throws: `badRequest` where `style` is out of range.
    public func replacingStyles(
        with style: CaptionStyle, geometry: CaptionCanvas
    ) throws(MediaError) -> ASSScript {
        try style.validate()
        var sections = ASSSections(settingPlayRes().header)
        // The script's pixels may not be square; heights decide, as they do in libass.
        let scale = playRes.height / Double(geometry.height)
        let metrics = CaptionMetrics(style: style, geometry: geometry, scale: scale, width: playRes.width)
        var names: [String] = []
        var nameField = 0
        for line in sections.lines {
            guard case .styles = line.section else { continue }
            if let format = line.value(of: "format") {
                nameField = ASSSections.fieldNames(format).firstIndex(of: "name") ?? 0
            } else if let value = line.value(of: "style") {
                let fields = value.split(separator: ",", omittingEmptySubsequences: false)
                let name = fields.indices.contains(nameField) ? fields[nameField] : "Default"
                names.append(String(name).filter { !$0.isNewline })
            }
        }
        if names.isEmpty { names = ["Default"] }
        sections.lines.removeAll { if case .styles = $0.section { true } else { false } }
        let replacement =
            ["[V4+ Styles]", ASSScript.styleFormat] + names.map { metrics.styleLine(name: $0) } + [""]
        let at = sections.lines.firstIndex { $0.section == .events } ?? sections.lines.endIndex
        sections.lines.insert(
            contentsOf: replacement.map { ASSSections.Line(text: $0, section: .styles(isSSA: false), number: 0) },
            at: at)
        for index in sections.lines.indices where sections.lines[index].value(of: "scripttype") != nil {
            sections.lines[index].text = "ScriptType: v4.00+"
        }
        return ASSScript(header: sections.text, events: events)
    }
}
