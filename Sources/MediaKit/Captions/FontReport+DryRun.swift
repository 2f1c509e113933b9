import CLibass
import Glibc

extension CaptionRenderer {
    /// Renders every font's characters once, very small, and reads from libass's own messages what it did.
    ///
    /// It happens in the renderer that draws the captions later, and in the order in which the script has the
    /// characters, so that the fonts which libass finds now are those that it uses then.
    func makeFontReport(fonts: [FontFile]) -> FontReport {
        let demand = FontDemand(track.pointee)
        guard let rehearsal = ass_new_track(library) else { return FontReport() }
        defer {
            ass_free_track(rehearsal)
            _ = log.drain()
        }
        var header = Array("[Script Info]\nScriptType: v4.00+\nPlayResX: 320\nPlayResY: 180\nWrapStyle: 2\n".utf8)
        header += Array(
            """
            [V4+ Styles]
            Format: Name, Fontname, Fontsize, Bold, Italic, BorderStyle, Outline, Shadow, Alignment
            Style: Default,Arial,4,0,0,1,0,0,7
            [Events]
            Format: Layer, Start, End, Style, Text

            """.utf8)
        process(&header, rehearsal)
        setFrame(width: 320, height: 180)
        _ = log.drain()

        var reader = FontMessageReader(fonts: fonts)
        for request in demand.requests {
            let characters = demand.characters[request] ?? []
            // Few at a time, so that the log of one round holds all that it may say.
            for start in stride(from: 0, to: characters.count, by: Self.charactersPerRound) {
                let round = characters[start..<min(start + Self.charactersPerRound, characters.count)]
                rehearse(round, request, rehearsal)
                reader.read(log.drain(), for: request)
            }
        }
        var report = reader.report
        report.isPartial = demand.isPartial
        return report
    }

    private static var charactersPerRound: Int { 128 }

    private func rehearse(
        _ characters: ArraySlice<Unicode.Scalar>, _ request: FontRequest,
        _ rehearsal: UnsafeMutablePointer<ASS_Track>
    ) {
        ass_flush_events(rehearsal)
        // The family goes straight into the style: its name may hold what means something else in a script.
        guard rehearsal.pointee.n_styles > 0, let name = strdup(request.family) else { return }
        let style = rehearsal.pointee.styles + Int(rehearsal.pointee.n_styles - 1)
        free(style.pointee.FontName)
        style.pointee.FontName = name
        var text = "Dialogue: 0,0:00:00.00,0:00:01.00,Default,{\\b\(request.weight)\\i\(request.isItalic ? 1 : 0)}"
        for scalar in characters where !"{}\\".unicodeScalars.contains(scalar) { text.unicodeScalars.append(scalar) }
        var bytes = Array((text + "\n").utf8)
        process(&bytes, rehearsal)
        _ = ass_render_frame(renderer, rehearsal, 0, nil)
    }

    private func process(_ bytes: inout [UInt8], _ track: UnsafeMutablePointer<ASS_Track>) {
        bytes.withUnsafeMutableBytes {
            ass_process_data(track, $0.bindMemory(to: CChar.self).baseAddress, Int32($0.count))
        }
    }
}
