import CAVShim
import Glibc

/// How much there is to be seen in a picture: for choosing one that stands for a film.
enum PictureScore {
    private static let width = 160
    private static let height = 90

    /// Larger is better. Pictures that are black, white or of one tone are below 0.
    static func of(_ frame: Frame, timeBase: Rational, control: JobControl) throws -> Double {
        var text = FilterText()
        text.append("scale", [("w", "\(width)"), ("h", "\(height)"), ("flags", "area")])
        text.append("format", [("pix_fmts", "gray")])
        let own = try frame.ref()
        own.pts = 0
        let graph = try FilterGraph(
            sources: [FrameFormat(frame: own, timeBase: timeBase, frameRate: Rational(0, 1))],
            text: text.joined(nothing: "null"), isVideo: true, threads: 1, control: control)
        _ = try graph.push(own, source: 0)
        _ = try graph.push(nil, source: 0)
        let small = try Frame()
        guard case .ready = try graph.pull(into: small), let plane = small.plane(0) else { return -.infinity }
        return score(UnsafePointer(plane.base), stride: plane.stride)
    }

    /// The entropy of the tones, 0…6 bits, and how sharp edges are, 0…3: a blurred picture has soft ones.
    static func score(_ luma: UnsafePointer<UInt8>, stride: Int) -> Double {
        var histogram = [Int](repeating: 0, count: 64)
        var sum = 0, squares = 0, edges = 0
        for y in 0..<height {
            let row = luma + y * stride
            for x in 0..<width {
                let value = Int(row[x])
                histogram[value >> 2] += 1
                sum += value
                squares += value * value
                if x > 0 { edges += abs(value - Int(row[x - 1])) }
                if y > 0 { edges += abs(value - Int(row[x - stride])) }
            }
        }
        let count = Double(width * height)
        let mean = Double(sum) / count
        let deviation = max(0, Double(squares) / count - mean * mean).squareRoot()
        let entropy = histogram.reduce(0.0) { total, bin in
            guard bin > 0 else { return total }
            let share = Double(bin) / count
            return total - share * log2(share)
        }
        let sharpness = min(3, Double(edges) / count / 4)
        let isDull = deviation < 6 || mean < 18 || mean > 243
        return entropy + sharpness - (isDull ? 20 : 0)
    }
}
