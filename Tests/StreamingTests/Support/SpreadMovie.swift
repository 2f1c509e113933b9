/// A movie whose chunks lie far apart in a file of any size, its index at the end and with offsets of 64 bits: large, and
/// no work to make or to decode.
struct SpreadMovie: Sendable {
    /// In bytes.
    let size: Int64
    /// What is not filling, in order.
    private let pieces: [(start: Int64, bytes: ArraySlice<UInt8>)]

    struct Unreadable: Error {}

    /// - Parameters:
    ///   - movie: its file type, media and index, whose offsets have 32 bits.
    ///   - size: bytes of the whole, about.
    init(_ movie: [UInt8], size: Int64) throws {
        let boxes = Self.boxes(movie[...])
        guard let type = boxes.first(where: { $0.type == "ftyp" }),
            let media = boxes.first(where: { $0.type == "mdat" }),
            let index = boxes.first(where: { $0.type == "moov" })
        else { throw Unreadable() }
        let mediaBytes = media.bytes.dropFirst(8)
        let offsets = Set(Self.chunkOffsets(index)).sorted()
        guard offsets.first == mediaBytes.startIndex else { throw Unreadable() }
        let gap = (size - Int64(movie.count)) / Int64(offsets.count)

        var pieces: [(start: Int64, bytes: ArraySlice<UInt8>)] = []
        var moved: [Int: Int64] = [:]
        var position = Int64(type.bytes.count + 16)
        for (offset, end) in zip(offsets, offsets.dropFirst() + [mediaBytes.endIndex]) {
            pieces.append((position, mediaBytes[offset..<end]))
            moved[offset] = position
            position += Int64(end - offset) + gap
        }
        var head = Array(type.bytes)
        head += Self.number(1, 4) + Array("mdat".utf8) + Self.number(position - Int64(head.count), 8)
        let tail = Self.wide(index, moved)
        pieces.insert((0, head[...]), at: 0)
        pieces.append((position, tail[...]))
        self.pieces = pieces
        self.size = position + Int64(tail.count)
    }

    /// The bytes in a range of offsets, which lies within the movie.
    func bytes(_ range: Range<Int64>) -> [UInt8] {
        // Filling that is not silent zeros: who decodes it would notice.
        var bytes = [UInt8](repeating: 0xA5, count: range.count)
        for piece in pieces {
            let part = range.clamped(to: piece.start..<piece.start + Int64(piece.bytes.count))
            guard !part.isEmpty else { continue }
            let source = piece.bytes.startIndex + Int(part.lowerBound - piece.start)
            let target = Int(part.lowerBound - range.lowerBound)
            bytes.replaceSubrange(target..<target + part.count, with: piece.bytes[source..<source + part.count])
        }
        return bytes
    }

    // MARK: Boxes (ISO/IEC 14496-12, 4.2 and 8.7.5)

    private struct Box {
        var type: String
        /// With its header, of 8 bytes.
        var bytes: ArraySlice<UInt8>
        var contents: ArraySlice<UInt8> { bytes.dropFirst(8) }
        var isContainer: Bool { ["moov", "trak", "mdia", "minf", "stbl"].contains(type) }
    }

    private static func boxes(_ bytes: ArraySlice<UInt8>) -> [Box] {
        var boxes: [Box] = []
        var rest = bytes
        while rest.count >= 8 {
            let size = max(8, min(rest.count, Int(value(rest.prefix(4)))))
            let type = String(decoding: rest.dropFirst(4).prefix(4), as: UTF8.self)
            boxes.append(Box(type: type, bytes: rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        return boxes
    }

    private static func chunkOffsets(_ box: Box) -> [Int] {
        if box.isContainer { return boxes(box.contents).flatMap(chunkOffsets) }
        guard box.type == "stco" else { return [] }
        let table = box.contents.dropFirst(8)
        return stride(from: table.startIndex, to: table.endIndex, by: 4).map { Int(value(table[$0..<$0 + 4])) }
    }

    /// The box with offsets of 64 bits, moved.
    private static func wide(_ box: Box, _ moved: [Int: Int64]) -> [UInt8] {
        var type = box.type
        var contents = Array(box.contents)
        if box.isContainer {
            contents = boxes(box.contents).flatMap { wide($0, moved) }
        } else if type == "stco" {
            type = "co64"
            contents = Array(box.contents.prefix(8)) + chunkOffsets(box).flatMap { number(moved[$0] ?? 0, 8) }
        }
        return number(Int64(contents.count + 8), 4) + Array(type.utf8) + contents
    }

    private static func value(_ bytes: ArraySlice<UInt8>) -> Int64 { bytes.reduce(0) { $0 << 8 | Int64($1) } }

    private static func number(_ value: Int64, _ width: Int) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: value >> Int64(8 * (width - 1 - $0))) }
    }
}
