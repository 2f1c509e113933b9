import CPixelKernels

/// A few rows of a picture, small enough for the cache, in which layers are flattened before the covered stretches
/// are picked out.
struct CaptionStrip {
    /// Rows at a time: a multiple of every chroma box's height.
    static let rows = 16

    private let layout: PixelLayout
    private let width: Int
    private let height: Int
    /// Samples from one row to the next: the width, filled up to whole runs of whole chroma boxes.
    private let stride: Int
    private let storage: SampleStorage
    private var runs: [cpk_run]

    /// What was drawn last: the first row, how many, and the columns.
    private var top = 0
    private var rowCount = 0
    private var columns = 0..<0

    init(layout: PixelLayout, width: Int, height: Int) {
        self.layout = layout
        self.width = width
        self.height = height
        let unit = Int(CPK_RUN_ALIGNMENT) << layout.log2ChromaWidth
        stride = (width + unit - 1) / unit * unit
        storage = SampleStorage(planes: 7, samples: stride * Self.rows)
        runs = Array(repeating: cpk_run(), count: stride / (2 * Int(CPK_RUN_ALIGNMENT)) + 1)
    }

    private var opacity: UnsafeMutablePointer<UInt16> { storage.plane(3) }

    /// Flattens what of the bitmaps falls on the rows from `row` on. Returns false where nothing does.
    mutating func draw(_ bitmaps: [CaptionBitmap], from row: Int) -> Bool {
        top = row
        rowCount = min(Self.rows, height - row)
        let touching = bitmaps.filter { $0.y < row + rowCount && $0.y + $0.height > row }
        guard let left = touching.map(\.x).min(), let right = touching.map({ $0.x + $0.width }).max() else {
            return false
        }
        let unit = Int(CPK_RUN_ALIGNMENT) << layout.log2ChromaWidth
        columns = left / unit * unit..<min((right + unit - 1) / unit * unit, stride)
        let hasChroma = layout.arrangement != .gray
        for plane in 0..<4 where hasChroma || plane == 0 || plane == 3 {
            for y in 0..<Self.rows {
                (storage.plane(plane) + y * stride + columns.lowerBound).update(repeating: 0, count: columns.count)
            }
        }
        var layers = cpk_layers()
        layers.plane.0 = storage.plane(0)
        layers.plane.1 = hasChroma ? storage.plane(1) : nil
        layers.plane.2 = hasChroma ? storage.plane(2) : nil
        layers.opacity = opacity
        layers.stride = stride
        for bitmap in touching {
            let first = max(bitmap.y, row)
            let last = min(bitmap.y + bitmap.height, row + rowCount)
            let samples = layout.scaledSamples(red: bitmap.red, green: bitmap.green, blue: bitmap.blue)
            var color = cpk_color(sample: samples, opacity: bitmap.opacity)
            cpk_draw_mask(
                &layers, Int32(first - row), Int32(bitmap.x), bitmap.coverage + (first - bitmap.y) * bitmap.stride,
                bitmap.stride, Int32(bitmap.width), Int32(last - first), &color)
        }
        if hasChroma { extendEdges() }
        return true
    }

    /// A chroma box that hangs over the picture's edge averages what is inside: the last column and row are repeated.
    private func extendEdges() {
        let boxWidth = 1 << layout.log2ChromaWidth
        let boxHeight = 1 << layout.log2ChromaHeight
        let paddedWidth = (width + boxWidth - 1) / boxWidth * boxWidth
        let paddedRows = (rowCount + boxHeight - 1) / boxHeight * boxHeight
        for plane in 0..<4 {
            let samples = storage.plane(plane)
            if columns.upperBound > width, columns.contains(width - 1) {
                for y in 0..<rowCount {
                    for x in width..<paddedWidth { samples[y * stride + x] = samples[y * stride + width - 1] }
                }
            }
            for y in rowCount..<max(paddedRows, rowCount) {
                let source = samples + (rowCount - 1) * stride + columns.lowerBound
                (samples + y * stride + columns.lowerBound).update(from: source, count: columns.count)
            }
        }
    }

    mutating func appendLuma(to composite: inout CaptionComposite) {
        // The padding beyond the picture's edge is for chroma alone.
        let count = min(columns.upperBound, width) - columns.lowerBound
        for y in 0..<rowCount {
            let start = y * stride + columns.lowerBound
            append(
                row: top + y, column: columns.lowerBound, count: count, opacity: opacity + start,
                first: storage.plane(0) + start, second: nil, to: &composite)
        }
    }

    mutating func appendChroma(to composite: inout CaptionComposite) {
        let log2Width = layout.log2ChromaWidth
        let log2Height = layout.log2ChromaHeight
        let chromaWidth = (width + (1 << log2Width) - 1) >> log2Width
        let column = columns.lowerBound >> log2Width
        let count = min(columns.upperBound >> log2Width, chromaWidth) - column
        let chromaRows = (rowCount + (1 << log2Height) - 1) >> log2Height
        for y in 0..<chromaRows {
            let start = (y << log2Height) * stride + columns.lowerBound
            for (source, destination) in [(1, 4), (2, 5), (3, 6)] {
                cpk_box_average(
                    storage.plane(source) + start, stride, storage.plane(destination), Int32(count), Int32(log2Width),
                    Int32(log2Height))
            }
            append(
                row: (top >> log2Height) + y, column: column, count: count, opacity: storage.plane(6),
                first: storage.plane(4), second: storage.plane(5), to: &composite)
        }
    }

    private mutating func append(
        row: Int, column: Int, count: Int, opacity: UnsafePointer<UInt16>, first: UnsafePointer<UInt16>,
        second: UnsafePointer<UInt16>?, to composite: inout CaptionComposite
    ) {
        let found = cpk_find_runs(opacity, Int32(count), &runs, runs.count)
        for var run in runs.prefix(found) {
            let start = Int(run.column)
            let length = Int(run.count)
            run.row = Int32(row)
            run.column += Int32(column)
            run.offset = UInt32(composite.opacity.count)
            composite.runs.append(run)
            composite.first.append(contentsOf: UnsafeBufferPointer(start: first + start, count: length))
            if let second {
                composite.second.append(contentsOf: UnsafeBufferPointer(start: second + start, count: length))
            }
            composite.opacity.append(contentsOf: UnsafeBufferPointer(start: opacity + start, count: length))
        }
    }
}

/// Owns the memory of a few planes of samples.
private final class SampleStorage {
    private let base: UnsafeMutablePointer<UInt16>
    private let samples: Int

    init(planes: Int, samples: Int) {
        self.samples = samples
        base = .allocate(capacity: planes * samples)
        base.initialize(repeating: 0, count: planes * samples)
    }

    deinit { base.deallocate() }

    func plane(_ index: Int) -> UnsafeMutablePointer<UInt16> { base + index * samples }
}
