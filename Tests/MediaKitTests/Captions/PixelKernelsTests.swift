import CPixelKernels
import Testing

/// Every kernel against a plain reference written from its definition, on random input, bit for bit.
@Suite(.serialized) struct PixelKernelsTests {
    /// The sets of instructions that this processor can run.
    static var variants: [Int32] { (0..<cpk_variant_count()).filter { cpk_use_variant($0) != 0 } }
    static let widths = Array(1...70) + [127, 128, 129, 1023, 1024, 1025, 1920]

    // MARK: References

    static func over(_ sample: UInt16, _ color: UInt16, _ k: UInt16) -> UInt16 {
        let kept = UInt32(sample) - UInt32(sample) * UInt32(k) / 65536
        return UInt16(min(kept + UInt32(color) * UInt32(k) / 65536, 65535))
    }

    static func overOpacity(_ opacity: UInt16, _ k: UInt16) -> UInt16 {
        UInt16(min(UInt32(opacity) - UInt32(opacity) * UInt32(k) / 65536 + UInt32(k), 65535))
    }

    static func cover(_ mask: UInt8, _ opacity: UInt8) -> UInt16 {
        let product = UInt32(mask) * UInt32(opacity)
        return UInt16(product + product * 515 / 65536)
    }

    static func blend(_ sample: UInt32, _ premultiplied: UInt16, _ opacity: UInt16, depth: Int) -> UInt32 {
        let scaled = sample << UInt32(16 - depth)
        let half: UInt32 = (1 << UInt32(16 - depth)) / 2
        let sum = scaled - scaled * UInt32(opacity) / 65536 + half + UInt32(premultiplied)
        return min(sum, 65535) >> UInt32(16 - depth)
    }

    /// Random words, of which a good part are the extremes that arithmetic trips over.
    static func words(_ count: Int, _ random: inout CaptionTestRandom) -> [UInt16] {
        (0..<count).map { _ in
            switch random.next() % 8 {
            case 0: 0
            case 1: 65535
            default: UInt16(truncatingIfNeeded: random.next())
            }
        }
    }

    // MARK: Tests

    @Test func `coverage reaches from nothing to exactly opaque and never falls as the mask rises`() {
        #expect(Self.cover(0, 255) == 0)
        #expect(Self.cover(255, 255) == 65535)
        for product in 0..<255 { #expect(Self.cover(UInt8(product), 255) < Self.cover(UInt8(product + 1), 255)) }
    }

    @Test func `drawing a mask equals the reference at every width and odd offset`() {
        var random = CaptionTestRandom(seed: 1)
        for variant in Self.variants {
            #expect(cpk_use_variant(variant) != 0)
            for width in Self.widths {
                let column = Int(random.next() % 33)
                let height = 1 + Int(random.next() % 3)
                let stride = column + width + Int(random.next() % 5)
                let maskStride = width + Int(random.next() % 7)
                let mask = Self.words(maskStride * height, &random).map { UInt8($0 >> 8) }
                let before = (0..<4).map { _ in Self.words(stride * (height + 1), &random) }
                let color = cpk_color(
                    sample: (60160, 32768, UInt16(truncatingIfNeeded: random.next())),
                    opacity: width % 3 == 0 ? 255 : UInt8(truncatingIfNeeded: random.next()))

                var expected = before
                for y in 0..<height {
                    for x in 0..<width {
                        let k = Self.cover(mask[y * maskStride + x], color.opacity)
                        let at = (y + 1) * stride + column + x
                        expected[0][at] = Self.over(before[0][at], color.sample.0, k)
                        expected[1][at] = Self.over(before[1][at], color.sample.1, k)
                        expected[2][at] = Self.over(before[2][at], color.sample.2, k)
                        expected[3][at] = Self.overOpacity(before[3][at], k)
                    }
                }
                let drawn = Self.draw(
                    mask, maskStride: maskStride, width: width, height: height, color, on: before, stride: stride,
                    row: 1, column: column)
                #expect(drawn == expected, "width \(width), variant \(variant)")
            }
        }
    }

    static func draw(
        _ mask: [UInt8], maskStride: Int, width: Int, height: Int, _ color: cpk_color, on planes: [[UInt16]],
        stride: Int, row: Int, column: Int
    ) -> [[UInt16]] {
        let buffers = planes.map { plane in
            let buffer = UnsafeMutableBufferPointer<UInt16>.allocate(capacity: plane.count)
            _ = buffer.initialize(from: plane)
            return buffer
        }
        defer { for buffer in buffers { buffer.deallocate() } }
        var layers = cpk_layers()
        layers.plane = (buffers[0].baseAddress, buffers[1].baseAddress, buffers[2].baseAddress)
        layers.opacity = buffers[3].baseAddress
        layers.stride = stride
        var color = color
        cpk_draw_mask(
            &layers, Int32(row), Int32(column), mask, maskStride, Int32(width), Int32(height), &color)
        return buffers.map { Array($0) }
    }

    @Test func `box averages equal the reference for every subsampling`() {
        var random = CaptionTestRandom(seed: 2)
        for variant in Self.variants {
            #expect(cpk_use_variant(variant) != 0)
            for (log2Width, log2Height) in [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (2, 2)] {
                for count in Self.widths {
                    let stride = (count << log2Width) + Int(random.next() % 9)
                    let source = Self.words(stride << log2Height, &random)
                    var average = [UInt16](repeating: 7, count: count + 1)
                    cpk_box_average(source, stride, &average, Int32(count), Int32(log2Width), Int32(log2Height))
                    let area = UInt32(1 << (log2Width + log2Height))
                    for i in 0..<count {
                        var sum: UInt32 = 0
                        for y in 0..<(1 << log2Height) {
                            for x in 0..<(1 << log2Width) {
                                sum += UInt32(source[y * stride + (i << log2Width) + x])
                            }
                        }
                        #expect(average[i] == UInt16((sum + area / 2) / area))
                    }
                    #expect(average[count] == 7, "wrote past the end")
                }
            }
        }
    }

    @Test(arguments: [8, 9, 10, 12, 14, 16])
    func `blending runs equals the reference at every width and odd offset`(depth: Int) {
        var random = CaptionTestRandom(seed: UInt64(depth))
        for variant in Self.variants {
            #expect(cpk_use_variant(variant) != 0)
            for width in Self.widths {
                let column = Int(random.next() % 17)
                let total = column + width + 3
                let before = Self.words(total * 2, &random).map { UInt16(UInt32($0) >> UInt32(16 - depth)) }
                let premultiplied = Self.words(width + 5, &random)
                let opacity = Self.words(width + 5, &random)
                let runs = [cpk_run(row: 1, column: Int32(column), count: Int32(width), offset: 5)]

                var after = depth == 8 ? before.map { UInt8($0) } : before.withUnsafeBytes { Array($0) }
                let bytes = depth == 8 ? 1 : 2
                cpk_blend_runs(&after, total * bytes, Int32(depth), runs, 1, premultiplied, opacity)
                let result = after.withUnsafeBytes { raw in
                    depth == 8 ? raw.map { UInt16($0) } : Array(raw.bindMemory(to: UInt16.self))
                }
                var expected = before
                for x in 0..<width {
                    let at = total + column + x
                    expected[at] = UInt16(
                        Self.blend(UInt32(before[at]), premultiplied[5 + x], opacity[5 + x], depth: depth))
                }
                #expect(result == expected, "width \(width), variant \(variant)")
            }
        }
    }

    @Test func `a sample under opacity 0 stays as it is and one under full opacity becomes the colour`() {
        for depth in [8, 10, 12] {
            let top = UInt32(1) << UInt32(depth) - 1
            for sample in [0, 1, top / 2, top] {
                #expect(Self.blend(sample, 0, 0, depth: depth) == sample)
                // Drawn opaque over nothing, then blended.
                let white = UInt16(235 << 8)
                let drawn = Self.over(0, white, 65535)
                #expect(Self.blend(sample, drawn, 65535, depth: depth) == UInt32(235 << (depth - 8)))
            }
        }
    }

    @Test(arguments: [(8, false), (10, false), (10, true), (12, true)])
    func `interleaved planes blend as two planes do`(depth: Int, isHighBits: Bool) {
        var random = CaptionTestRandom(seed: 5)
        for variant in Self.variants {
            #expect(cpk_use_variant(variant) != 0)
            for width in Self.widths {
                let before = Self.words(2 * width + 2, &random).map { UInt16(UInt32($0) >> UInt32(16 - depth)) }
                let first = Self.words(width, &random)
                let second = Self.words(width, &random)
                let opacity = Self.words(width, &random)
                let up = isHighBits ? UInt16(16 - depth) : 0
                var plane =
                    depth == 8 ? before.map { UInt8($0) } : before.map { $0 << up }.withUnsafeBytes { Array($0) }
                let runs = [cpk_run(row: 0, column: 1, count: Int32(width - 1), offset: 1)]
                cpk_blend_interleaved_runs(
                    &plane, 0, Int32(depth), isHighBits ? 1 : 0, runs, 1, first, second, opacity)
                let result = plane.withUnsafeBytes { raw in
                    depth == 8 ? raw.map { UInt16($0) } : raw.bindMemory(to: UInt16.self).map { $0 >> up }
                }
                var expected = before
                for x in 1..<width {
                    expected[2 * x] = UInt16(Self.blend(UInt32(before[2 * x]), first[x], opacity[x], depth: depth))
                    expected[2 * x + 1] = UInt16(
                        Self.blend(UInt32(before[2 * x + 1]), second[x], opacity[x], depth: depth))
                }
                #expect(result == expected, "width \(width), variant \(variant)")
            }
        }
    }

    @Test func `runs cover every sample that is not zero and are apart by at least one empty unit`() {
        var random = CaptionTestRandom(seed: 6)
        for count in Self.widths {
            for density in [0, 1, 20, 100] {
                let row = (0..<count).map { _ -> UInt16 in Int(random.next() % 100) < density ? 1 : 0 }
                var runs = [cpk_run](repeating: cpk_run(), count: count / 32 + 1)
                let found = cpk_find_runs(row, Int32(count), &runs, runs.count)
                #expect(found <= runs.count)
                var covered = [Bool](repeating: false, count: count)
                var last = -16
                for run in runs.prefix(found) {
                    #expect(run.column % 16 == 0 && run.count > 0 && Int(run.column) >= last + 16)
                    last = Int(run.column + run.count)
                    for x in Int(run.column)..<last { covered[x] = true }
                }
                #expect(!zip(row, covered).contains { $0 != 0 && !$1 })
                if density == 0 { #expect(found == 0) }
            }
        }
    }
}

/// A small generator with a seed, so that a failure can be repeated (Steele, Lea, Flood: SplitMix64, 2014).
struct CaptionTestRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
