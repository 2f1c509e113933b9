import Glibc

/// A film of any length, uncompressed in Matroska, each byte of which follows from its offset: an input of gigabytes that
/// takes no room.
///
/// Its pictures tell their number as those of a ``TestClip`` do, in their upper half; below lies grain that moves, so that
/// an encoder has something to write. It sounds with 400 Hz.
public struct RawMovie: Sendable {
    /// Pixels; even numbers.
    public let width: Int
    public let height: Int
    public let frames: Int
    /// Pictures per second.
    public static let rate = 25

    /// Up to the first cluster.
    private let head: [UInt8]
    /// Bytes of a cluster: a picture and the sound that goes with it.
    private let clusterSize: Int
    /// Longer than the lower half of a picture, which begins somewhere in it.
    private let grain: [UInt8]

    private static let sampleRate = 48_000
    private static let grainSlack = 65_521
    /// A cluster before the samples of its picture: its header, its time, the picture's header.
    private static let pictureStart = 12 + 17 + 9 + 4

    /// - Parameter grain: how strong the grain is; 0 for none.
    public init(width: Int, height: Int, frames: Int, grain: UInt8 = 0) {
        self.width = width
        self.height = height
        self.frames = frames
        clusterSize = Self.clusterSize(width, height)
        self.grain = Self.grain(grain, count: width * (height - height / 2) + Self.grainSlack)

        let seconds = Double(frames) / Double(Self.rate)
        let clip = TestClip(
            video: TestClip.Video(frames: frames, rate: Self.rate, width: width, height: height),
            audio: [TestClip.Audio(seconds: seconds, sampleRate: Self.sampleRate)])
        let preamble = clip.preamble.reduce([], +)
        // A segment's header with the size of what follows, which is not here.
        head =
            TestClip.header + Self.opening([0x18, 0x53, 0x80, 0x67], preamble.count + frames * clusterSize) + preamble
    }

    /// In bytes.
    public var size: Int64 { Int64(head.count) + Int64(frames) * Int64(clusterSize) }

    /// A film of about so many bytes.
    public static func ofSize(_ bytes: Int64, width: Int, height: Int, grain: UInt8 = 0) -> RawMovie {
        let frames = Int(bytes / Int64(clusterSize(width, height)))
        return RawMovie(width: width, height: height, frames: frames, grain: grain)
    }

    /// The bytes in a range of offsets, which lies within the film.
    public func bytes(_ range: Range<Int64>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        var offset = range.lowerBound
        if offset < head.count {
            let end = min(Int64(head.count), range.upperBound)
            bytes += head[Int(offset)..<Int(end)]
            offset = end
        }
        while offset < range.upperBound {
            let (number, inside) = Int(offset - Int64(head.count)).quotientAndRemainder(dividingBy: clusterSize)
            let end = min(clusterSize, inside + Int(range.upperBound - offset))
            append(cluster: number, inside..<end, to: &bytes)
            offset += Int64(end - inside)
        }
        return bytes
    }

    /// All of it: for short ones.
    public var bytes: [UInt8] { bytes(0..<size) }

    // MARK: A cluster

    private func append(cluster number: Int, _ range: Range<Int>, to bytes: inout [UInt8]) {
        var start = 0
        /// Appends what of a piece lies in the range; the piece is made only if some of it does.
        func piece(_ count: Int, _ make: (Range<Int>) -> ArraySlice<UInt8>) {
            let part = range.clamped(to: start..<start + count)
            if !part.isEmpty { bytes += make(part.lowerBound - start..<part.upperBound - start) }
            start += count
        }
        let upper = width * (height / 2)
        piece(Self.pictureStart) { clusterHead(number)[$0] }
        piece(upper) { part in
            let row = (0..<width).map { TestClip.numbered(number, $0, 0, width: width, height: height) }
            let rows = part.lowerBound / width..<(part.upperBound - 1) / width + 1
            var luma: [UInt8] = []
            for _ in rows { luma += row }
            let skipped = part.lowerBound - rows.lowerBound * width
            return luma[skipped..<skipped + part.count]
        }
        piece(width * height - upper) { part in
            let shift = number * 7919 % Self.grainSlack
            return grain[part.lowerBound + shift..<part.upperBound + shift]
        }
        piece(width * height / 2) { [UInt8](repeating: 128, count: $0.count)[...] }
        piece(Self.sound.count) { Self.sound[$0] }
    }

    private func clusterHead(_ number: Int) -> [UInt8] {
        Self.opening([0x1F, 0x43, 0xB6, 0x75], clusterSize - 12)
            + MatroskaBytes.element(0xE7, number * 1000 / Self.rate)
            + Self.opening([0xA3], 4 + width * height * 3 / 2) + [0x81, 0, 0, 0x80]
    }

    private static func clusterSize(_ width: Int, _ height: Int) -> Int {
        pictureStart + width * height * 3 / 2 + sound.count
    }

    /// An element's identifier and the size of its contents, which are elsewhere.
    private static func opening(_ identifier: [UInt8], _ count: Int) -> [UInt8] {
        identifier + [0x01] + Array(MatroskaBytes.bigEndian(UInt64(count)).dropFirst())
    }

    // MARK: What is always the same

    /// A block of 400 Hz, of which a picture's time holds a whole number of periods.
    private static let sound: [UInt8] = {
        let samples = (0..<sampleRate / rate).flatMap { index -> [UInt8] in
            let value = Int16(8000 * sin(2 * .pi * 400 * Double(index) / Double(sampleRate)))
            return [UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)]
        }
        return MatroskaBytes.element(0xA3, [0x82, 0, 0, 0x80] + samples)
    }()

    private static func grain(_ strength: UInt8, count: Int) -> [UInt8] {
        guard strength > 0 else { return [UInt8](repeating: 110, count: count) }
        var state: UInt64 = 88_172_645_463_325_252
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            // Xorshift (Marsaglia): noise that is the same on every machine.
            for index in 0..<count {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                buffer[index] = 110 &+ UInt8(truncatingIfNeeded: state >> 32) % strength
            }
            filled = count
        }
    }
}
