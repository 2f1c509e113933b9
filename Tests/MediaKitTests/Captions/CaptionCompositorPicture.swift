import Glibc

@testable import MediaKit

/// A picture in memory of any layout, with samples addressed one by one.
struct CaptionTestPicture {
    let layout: PixelLayout
    let width: Int
    let height: Int
    /// Samples by plane as numbers of the layout's depth: Y, Cb, Cr (Y alone for gray).
    var samples: [[UInt16]]

    /// Filled with one colour.
    init(_ layout: PixelLayout, width: Int, height: Int, red: UInt8, green: UInt8, blue: UInt8) {
        self.layout = layout
        self.width = width
        self.height = height
        let color = layout.samples(red: red, green: green, blue: blue)
        let chroma = Self.chromaSize(layout, width, height)
        samples = [Array(repeating: UInt16(color.luma.rounded()), count: width * height)]
        if layout.arrangement != .gray {
            for value in [color.cb, color.cr] {
                samples.append(Array(repeating: UInt16(value.rounded()), count: chroma.width * chroma.height))
            }
        }
    }

    static func chromaSize(_ layout: PixelLayout, _ width: Int, _ height: Int) -> (width: Int, height: Int) {
        (
            (width + (1 << layout.log2ChromaWidth) - 1) >> layout.log2ChromaWidth,
            (height + (1 << layout.log2ChromaHeight) - 1) >> layout.log2ChromaHeight
        )
    }

    func width(ofPlane plane: Int) -> Int {
        plane == 0 ? width : Self.chromaSize(layout, width, height).width
    }

    /// Stores the samples as the layout has them, lets `body` change them, and reads them back. Rows are padded with a
    /// pattern that must survive.
    mutating func withPlanes(_ body: (PixelPlanes) -> Void) -> Bool {
        let interleaved = layout.arrangement == .semiPlanar || layout.isHighBits
        let up = layout.isHighBits ? UInt16(16 - layout.bitDepth) : 0
        let bytes = layout.bitDepth == 8 ? 1 : 2
        let groups: [[Int]] = interleaved ? [[0], [1, 2]] : samples.indices.map { [$0] }
        let padding = 14
        var buffers: [UnsafeMutableRawBufferPointer] = []
        defer { for buffer in buffers { buffer.deallocate() } }
        var planes: [PixelPlanes.Plane] = []
        for group in groups {
            let columns = width(ofPlane: group[0]) * group.count
            let rows = samples[group[0]].count / width(ofPlane: group[0])
            let stride = columns * bytes + padding
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: stride * rows, alignment: 2)
            buffer.initializeMemory(as: UInt8.self, repeating: 0xA5)
            buffers.append(buffer)
            for (part, plane) in group.enumerated() {
                for (index, sample) in samples[plane].enumerated() {
                    let x = index % width(ofPlane: plane) * group.count + part
                    let at = index / width(ofPlane: plane) * stride + x * bytes
                    if bytes == 1 {
                        buffer[at] = UInt8(sample)
                    } else {
                        buffer.storeBytes(of: sample << up, toByteOffset: at, as: UInt16.self)
                    }
                }
            }
            guard let base = buffer.baseAddress else { return false }
            planes.append(PixelPlanes.Plane(base: base, stride: stride))
        }
        body(PixelPlanes(planes))
        var isPaddingIntact = true
        for (group, (buffer, stored)) in zip(groups, zip(buffers, planes)) {
            let columns = width(ofPlane: group[0]) * group.count
            for row in 0..<buffer.count / stored.stride {
                for x in 0..<padding where buffer[row * stored.stride + columns * bytes + x] != 0xA5 {
                    isPaddingIntact = false
                }
            }
            for (part, plane) in group.enumerated() {
                for index in samples[plane].indices {
                    let x = index % width(ofPlane: plane) * group.count + part
                    let at = index / width(ofPlane: plane) * stored.stride + x * bytes
                    samples[plane][index] =
                        bytes == 1 ? UInt16(buffer[at]) : buffer.load(fromByteOffset: at, as: UInt16.self) >> up
                }
            }
        }
        return isPaddingIntact
    }

    func sample(_ plane: Int, _ x: Int, _ y: Int) -> UInt16 { samples[plane][y * width(ofPlane: plane) + x] }
}

/// A rectangle of luma samples.
struct CaptionTestBox {
    var columns: Range<Int>
    var rows: Range<Int>

    /// Tight around all that the bitmaps cover; nil for nothing.
    init?(_ bitmaps: [CaptionBitmap]) {
        var (left, top, right, bottom) = (Int.max, Int.max, 0, 0)
        for bitmap in bitmaps {
            for y in 0..<bitmap.height {
                for x in 0..<bitmap.width where bitmap.coverage[y * bitmap.stride + x] > 0 {
                    (left, right) = (min(left, bitmap.x + x), max(right, bitmap.x + x + 1))
                    (top, bottom) = (min(top, bitmap.y + y), max(bottom, bitmap.y + y + 1))
                }
            }
        }
        guard left < right else { return nil }
        columns = left..<right
        rows = top..<bottom
    }

    func contains(_ x: Int, _ y: Int) -> Bool { columns.contains(x) && rows.contains(y) }
}

/// Peak signal-to-noise ratio in decibels for samples with the given peak.
func captionPSNR(_ pairs: [(Double, Double)], peak: Double) -> Double {
    guard !pairs.isEmpty else { return .nan }
    let error = pairs.reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(pairs.count)
    return error == 0 ? .infinity : 10 * log10(peak * peak / error)
}

/// A script with one style, white on a black outline unless told otherwise.
func captionTestScript(
    _ dialogues: [String], width: Int = 640, height: Int = 360, family: String = "DejaVu Sans", size: Int = 28,
    style: String = "&H00FFFFFF,&H000000FF,&H00000000,&H80000000,0,0,0,0,100,100,0,0,1,2,0,2,10,10,20,1"
) -> [UInt8] {
    let lines =
        [
            "[Script Info]", "ScriptType: v4.00+", "PlayResX: \(width)", "PlayResY: \(height)",
            "ScaledBorderAndShadow: yes", "", "[V4+ Styles]",
            "Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, "
                + "Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, "
                + "MarginL, MarginR, MarginV, Encoding", "Style: Default,\(family),\(size),\(style)", "", "[Events]",
            "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text",
        ] + dialogues.map { "Dialogue: 0,\($0)" }
    return Array((lines.joined(separator: "\n") + "\n").utf8)
}

/// A dialogue's fields for a script of one style; times in seconds below a minute.
func dialogue(_ start: Double, _ end: Double, _ text: String) -> String {
    func time(_ seconds: Double) -> String {
        let hundredths = Int((seconds * 100).rounded())
        let (whole, rest) = (hundredths / 100, hundredths % 100)
        return "0:00:\(whole < 10 ? "0" : "")\(whole).\(rest < 10 ? "0" : "")\(rest)"
    }
    return "\(time(start)),\(time(end)),Default,,0,0,0,,\(text)"
}

/// Whether the machine has a font that can draw the text: tests of pictures need one.
func canDrawCaption(_ text: String) -> Bool {
    guard
        let renderer = try? CaptionRenderer(
            script: captionTestScript([dialogue(0, 1, text)]), geometry: CaptionGeometry(width: 640, height: 360))
    else { return false }
    return renderer.render(at: 0) == .changed && renderer.fontReport.missing.isEmpty
}
