extension CaptionStyle {
    /// - Throws: `badRequest` naming the first field that is out of range, and the range.
    public func validate() throws(MediaError) {
        let family = fontFamily.unicodeScalars
        let forbidden = ",{}\\\n\r".unicodeScalars
        guard !fontFamily.isEmpty, family.count <= 100, fontFamily.contains(where: { !$0.isWhitespace }),
            !family.contains(where: { forbidden.contains($0) || $0.value < 0x20 })
        else {
            throw MediaError(
                .badRequest, "caption style: fontFamily must be the name of one family",
                hint: "such as “Noto Sans”, up to 100 characters without comma, brace or backslash")
        }
        try check("fontSize", fontSize, 0.01...0.5)
        if let fontSizePixels { try check("fontSizePixels", fontSizePixels, 4...2000) }
        try check("fillOpacity", fillOpacity, 0...1)
        try check("outlineOpacity", outlineOpacity, 0...1)
        try check("outlineWidth", outlineWidth, 0...0.5)
        try check("shadowOpacity", shadowOpacity, 0...1)
        try check("shadowOffset", shadowOffset, 0...0.5)
        try check("backgroundOpacity", backgroundOpacity, 0...1)
        try check("backgroundPadding", backgroundPadding, 0...2)
        try check("safeArea", safeArea, 0...0.4)
        try check("marginHorizontal", marginHorizontal, 0...0.4)
        try check("marginVertical", marginVertical, 0...0.4)
        try check("maximumWidth", maximumWidth, 0.1...1)
        if let maximumLines { try check("maximumLines", Double(maximumLines), 1...20) }
        for (name, margin) in [("marginHorizontal", marginHorizontal), ("marginVertical", marginVertical)]
        where safeArea + margin > 0.45 {
            throw MediaError(
                .badRequest, "caption style: safeArea and \(name) leave no room for text",
                hint: "together they may be at most 0.45")
        }
    }

    private func check(_ name: String, _ value: Double, _ range: ClosedRange<Double>) throws(MediaError) {
        guard range.contains(value) else {
            throw MediaError(
                .badRequest,
                "caption style: \(name) is \(CaptionMetrics.number(value)); it must be "
                    + "\(CaptionMetrics.number(range.lowerBound)) to \(CaptionMetrics.number(range.upperBound))")
        }
    }
}
