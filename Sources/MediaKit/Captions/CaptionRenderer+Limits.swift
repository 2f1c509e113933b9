import CLibass
import Glibc

/// An estimate of how many pixels libass will fill for one event before it clips to the frame.
///
/// libass itself knows no limit below two gigabytes a glyph: one scale tag of a damaged or hostile script keeps it busy
/// for half a minute and takes as much memory as there is. Events whose estimate is out of all proportion are left out.
struct CaptionCost {
    /// What an event may fill, in frames: generous for signs and drawings that reach beyond the edges.
    static let maximumFrames = 16.0

    /// Pixels of the frame by units of the script.
    private let scale: Double
    private let style: ASS_Style
    private let styles: UnsafeBufferPointer<ASS_Style>

    private var size: Double
    private var scaleX: Double
    private var scaleY: Double
    private var spacing: Double
    private var border: Double
    private var blur = 0.0
    private var shearX = 0.0
    private var shearY = 0.0
    private var isRotated: Bool
    private var hasPerspective = false
    /// Width of what stands in one line under the same tags so far, in units of the script.
    private var run = 0.0
    private var drawing = 0.0
    private var outline: [Double] = []
    private(set) var pixels = 0.0

    init(style: ASS_Style, styles: UnsafeBufferPointer<ASS_Style>, scale: Double) {
        self.style = style
        self.styles = styles
        self.scale = scale
        size = style.FontSize
        scaleX = style.ScaleX
        scaleY = style.ScaleY
        spacing = style.Spacing
        border = style.Outline
        isRotated = style.Angle != 0
    }

    mutating func add(_ text: UnsafePointer<CChar>) {
        var position = text
        var isTag = false
        while position.pointee != 0 {
            let byte = UInt8(bitPattern: position.pointee)
            position += 1
            if isTag {
                if byte == UInt8(ascii: "}") { isTag = false }
                if run > 0 { finishRun() }
                if byte == UInt8(ascii: "\\") { apply(position) }
            } else if byte == UInt8(ascii: "{") {
                isTag = true
            } else if drawing > 0 {
                var end: UnsafeMutablePointer<CChar>?
                let value = strtod(position - 1, &end)
                if let end, UnsafePointer(end) > position - 1 {
                    outline.append(value)
                    position = UnsafePointer(end)
                }
            } else if byte & 0xC0 != 0x80 {
                run += abs(size * scaleX) + abs(spacing)
            }
        }
        finishRun()
        finishDrawing()
    }

    private mutating func addBox(width: Double, height: Double) {
        let around = 2 * border + 6 * blur
        let (plainWidth, plainHeight) = (abs(width) + around, abs(height) + around)
        // libass shears what is not scaled yet, outline and all, so that a small scale makes for a large shear.
        let (x, y) = (max(scaleX, 1e-9), max(scaleY, 1e-9))
        let wide = plainWidth + shearX * x / y * plainHeight
        let high = plainHeight + shearY * y / x * plainWidth
        // What is turned fills the box around its diagonal. Perspective enlarges what comes near, by sixteen at most.
        let area = isRotated ? (wide + high) * (wide + high) / 2 : wide * high
        pixels += area * scale * scale * (hasPerspective ? isRotated ? 4 : 16 : 1)
    }

    private mutating func finishRun() {
        if run > 0 { addBox(width: run, height: size * scaleY) }
        run = 0
    }

    private mutating func finishDrawing() {
        let x = stride(from: 0, to: outline.count, by: 2).map { outline[$0] }
        let y = stride(from: 1, to: outline.count, by: 2).map { outline[$0] }
        if let left = x.min(), let right = x.max(), let top = y.min(), let bottom = y.max() {
            // libass shifts by the level; what it makes of absurd ones is left open.
            let unit = drawing <= 16 ? 1 / exp2(drawing - 1) : 1
            addBox(width: (right - left) * scaleX * unit, height: (bottom - top) * scaleY * unit)
        }
        outline.removeAll()
    }

    /// The tag whose name begins at `name`. A transform's tags count as if they held from the start.
    private mutating func apply(_ name: UnsafePointer<CChar>) {
        func value(after prefix: String) -> Double? {
            guard strncmp(name, prefix, prefix.utf8.count) == 0 else { return nil }
            var end: UnsafeMutablePointer<CChar>?
            let start = name + prefix.utf8.count
            let value = strtod(start, &end)
            guard let end, UnsafePointer(end) > start, !value.isNaN else { return nil }
            return value
        }
        if let x = value(after: "fscx") {
            scaleX = max(x, 0) / 100
        } else if let y = value(after: "fscy") {
            scaleY = max(y, 0) / 100
        } else if let space = value(after: "fsp") {
            spacing = space
        } else if let height = value(after: "fs") {
            let first = UInt8(bitPattern: name[2])
            let isRelative = first == UInt8(ascii: "+") || first == UInt8(ascii: "-")
            size = isRelative ? size * (1 + height / 10) : height
            if size <= 0 { size = style.FontSize }
        } else if let slant = value(after: "fax") {
            shearX = abs(slant)
        } else if let slant = value(after: "fay") {
            shearY = abs(slant)
        } else if let angle = value(after: "frx") ?? value(after: "fry") {
            hasPerspective = hasPerspective || angle != 0
        } else if let angle = value(after: "frz") ?? value(after: "fr") {
            isRotated = isRotated || angle != 0
        } else if let width = value(after: "bord") ?? value(after: "xbord") ?? value(after: "ybord") {
            border = max(width, 0)
        } else if let radius = value(after: "blur") ?? value(after: "be") {
            // libass stops at 100 and 127.
            blur = min(max(radius, 0), 127)
        } else if let level = value(after: "p") {
            finishDrawing()
            drawing = max(level, 0)
        } else if name.pointee == CChar(bitPattern: UInt8(ascii: "r")) {
            reset(to: name + 1)
        }
    }

    private mutating func reset(to name: UnsafePointer<CChar>) {
        let length = strcspn(name, "\\}")
        let named = styles.last { style in
            style.Name.map { strlen($0) == length && strncmp($0, name, length) == 0 } ?? false
        }
        let next = named ?? style
        size = next.FontSize
        scaleX = next.ScaleX
        scaleY = next.ScaleY
        spacing = next.Spacing
        border = next.Outline
        blur = 0
        shearX = 0
        shearY = 0
        isRotated = next.Angle != 0
        hasPerspective = false
    }
}

extension CaptionRenderer {
    /// Empties the events that libass could only draw at an absurd cost, and returns how many there were.
    static func dropUnreasonableEvents(
        of track: UnsafeMutablePointer<ASS_Track>, geometry: CaptionGeometry
    ) -> Int {
        let styles = UnsafeBufferPointer(start: track.pointee.styles, count: Int(track.pointee.n_styles))
        // What libass assumes where the script does not say.
        let height = track.pointee.PlayResY > 0 ? Double(track.pointee.PlayResY) : 288
        let scale = Double(geometry.height) / height
        let limit = CaptionCost.maximumFrames * Double(geometry.width) * Double(geometry.height)
        // Small frames have room for the same text as large ones.
        let budget = max(limit, 4e6)
        var dropped = 0
        for event in UnsafeBufferPointer(start: track.pointee.events, count: Int(track.pointee.n_events)) {
            guard let text = event.Text, styles.indices.contains(Int(event.Style)) else { continue }
            var cost = CaptionCost(style: styles[Int(event.Style)], styles: styles, scale: scale)
            cost.add(text)
            // Also false for what is no number.
            guard !(cost.pixels <= budget) else { continue }
            text.pointee = 0
            dropped += 1
        }
        return dropped
    }
}
