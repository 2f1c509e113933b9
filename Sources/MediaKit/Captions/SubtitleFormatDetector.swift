/// Tells a subtitle format by what is in the file; its name counts only where that says nothing.
enum SubtitleFormatDetector {
    /// - Throws: `unsupported` naming what it is instead.
    static func detect(_ lines: SubtitleLines, name: String) throws(MediaError) -> SubtitleFormat {
        let text = lines.bytes[...]
        if WebVTTParser.hasHeader(text) { return .webVTT }
        var position = text.startIndex
        while position < text.endIndex, [0x20, 0x09, 0x0A, 0x0D].contains(text[position]) { position += 1 }
        let start = text[position...]
        if start.hasPrefixIgnoringCase("[script info]") || start.hasPrefixIgnoringCase("[v4") { return .ass }
        if let other = otherFormat(start) { throw unsupported(other, name: name) }
        for index in 0..<lines.count {
            let line = lines[index]
            if line.find("-->") != nil { return .srt }
            let trimmed = line.trimmed
            if trimmed.hasPrefixIgnoringCase("[events]") || trimmed.hasPrefixIgnoringCase("[script info]") {
                return .ass
            }
        }
        if let format = SubtitleFormat(fileName: name) { return format }
        throw unsupported("no subtitle format that is known here", name: name)
    }

    static func unsupported(_ what: String, name: String) -> MediaError {
        MediaError(
            .unsupported, "cannot read the subtitles: this is \(what)",
            hint: "give SubRip (.srt), WebVTT (.vtt) or ASS/SSA (.ass, .ssa)", input: name)
    }

    /// Formats known by how they begin.
    private static func otherFormat(_ start: ArraySlice<UInt8>) -> String? {
        if start.first == UInt8(ascii: "<") {
            let head = start.prefix(64 << 10)
            if head.find("<tt") != nil || head.find("<tt:tt") != nil { return "TTML (timed text in XML)" }
            if head.hasPrefixIgnoringCase("<sami") { return "SAMI" }
            if head.hasPrefixIgnoringCase("<!doctype html") || head.hasPrefixIgnoringCase("<html") {
                return "a web page"
            }
            if head.hasPrefixIgnoringCase("<?xml") || head.hasPrefixIgnoringCase("<!--") { return "an XML file" }
        }
        let next = start.dropFirst().drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }.first ?? 0
        let isDigit = (0x30...0x39).contains(next)
        if start.first == UInt8(ascii: "{") {
            if next == UInt8(ascii: "\"") || next == UInt8(ascii: "}") { return "JSON" }
            if isDigit { return "MicroDVD" }
        }
        if start.first == UInt8(ascii: "[") {
            if [UInt8(ascii: "{"), UInt8(ascii: "\""), UInt8(ascii: "]")].contains(next) { return "JSON" }
            if isDigit { return start.prefix(12).contains(UInt8(ascii: ":")) ? "LRC lyrics" : "MPL2" }
            if start.hasPrefixIgnoringCase("[information]") { return "SubViewer" }
        }
        if start.hasPrefixIgnoringCase("scenarist_scc") { return "SCC (Scenarist closed captions)" }
        if start.hasPrefixIgnoringCase("#extm3u") { return "a playlist" }
        return nil
    }

    /// What a file is that is not text at all; `nil` for text.
    static func binaryKind(_ bytes: [UInt8]) -> String? {
        let kinds: [(offset: Int, magic: [UInt8], what: String)] = [
            (4, Array("ftyp".utf8), "an MP4 or MOV file"), (0, [0x1A, 0x45, 0xDF, 0xA3], "a Matroska or WebM file"),
            (0, Array("RIFF".utf8), "an AVI or WAV file"), (0, Array("OggS".utf8), "an Ogg file"),
            (0, Array("fLaC".utf8), "a FLAC file"), (0, Array("ID3".utf8), "an MP3 file"),
            (0, [0x89, 0x50, 0x4E, 0x47], "a PNG picture"), (0, [0xFF, 0xD8, 0xFF], "a JPEG picture"),
            (0, Array("GIF8".utf8), "a GIF picture"), (0, [0x50, 0x4B, 0x03, 0x04], "a ZIP archive"),
            (0, [0x1F, 0x8B], "a gzip archive"), (0, Array("%PDF".utf8), "a PDF"),
            (0, Array("Rar!".utf8), "a RAR archive"), (0, [0x00, 0x00, 0x01, 0xBA], "an MPEG program stream"),
            (3, Array("STL25.01".utf8), "EBU STL"), (3, Array("STL30.01".utf8), "EBU STL"),
            (0, [0xFF, 0xFE, 0x00, 0x00], "text in UTF-32"), (0, [0x00, 0x00, 0xFE, 0xFF], "text in UTF-32"),
        ]
        for kind in kinds where bytes.dropFirst(kind.offset).starts(with: kind.magic) { return kind.what }
        if bytes.count > 376, bytes[0] == 0x47, bytes[188] == 0x47, bytes[376] == 0x47 {
            return "an MPEG transport stream"
        }
        return nil
    }

    /// Whether decoded text is so full of control characters that it is none.
    static func looksBinary(_ text: DecodedText) -> Bool {
        let sample = text.utf8.prefix(64 << 10)
        let controls = sample.reduce(0) { $0 + (($1 < 0x20 && ![0x09, 0x0A, 0x0C, 0x0D, 0x1B].contains($1)) ? 1 : 0) }
        return controls * 10 > sample.count || text.replacementCount * 4 > max(text.utf8.count, 64)
    }
}
