import Testing

/// A second, plain reader of boxes, so that the one under test is not checked by itself.
struct TestBoxes {
    struct Box: Equatable {
        var type: String
        var start: Int
        var header: Int
        var end: Int
    }

    static func number(_ bytes: [UInt8], _ at: Int, _ width: Int) -> Int {
        bytes[at..<at + width].reduce(0) { $0 << 8 | Int($1) }
    }

    static func list(_ bytes: [UInt8], _ range: Range<Int>? = nil) -> [Box] {
        let range = range ?? 0..<bytes.count
        var boxes: [Box] = []
        var start = range.lowerBound
        while start + 8 <= range.upperBound {
            var size = number(bytes, start, 4)
            let header = size == 1 ? 16 : 8
            if size == 1 { size = number(bytes, start + 8, 8) }
            if size == 0 { size = range.upperBound - start }
            let type = String(decoding: bytes[start + 4..<start + 8], as: UTF8.self)
            guard size >= header, start + size <= range.upperBound else {
                Issue.record("box \(type) at \(start) has size \(size), beyond \(range.upperBound)")
                return boxes
            }
            boxes.append(Box(type: type, start: start, header: header, end: start + size))
            start += size
        }
        if start != range.upperBound { Issue.record("\(range.upperBound - start) bytes behind the last box") }
        return boxes
    }

    static func types(_ bytes: [UInt8]) -> [String] { list(bytes).map(\.type) }

    /// All boxes below a path such as ["moov", "trak"].
    static func find(_ bytes: [UInt8], _ path: [String], in range: Range<Int>? = nil) -> [Box] {
        guard let first = path.first else { return [] }
        let found = list(bytes, range).filter { $0.type == first }
        if path.count == 1 { return found }
        return found.flatMap { find(bytes, Array(path.dropFirst()), in: $0.start + $0.header..<$0.end) }
    }

    /// The chunk offsets of each track in turn.
    static func chunkOffsets(_ bytes: [UInt8]) -> [[Int]] {
        find(bytes, ["moov", "trak", "mdia", "minf", "stbl"]).map { table in
            list(bytes, table.start + table.header..<table.end).flatMap { box -> [Int] in
                guard box.type == "stco" || box.type == "co64" else { return [] }
                let width = box.type == "stco" ? 4 : 8
                let count = number(bytes, box.start + box.header + 4, 4)
                return (0..<count).map { number(bytes, box.start + box.header + 8 + width * $0, width) }
            }
        }
    }

    /// Fails unless `result` holds the same media as `source` and every chunk offset leads to the same bytes.
    static func expectSameMedia(
        _ result: [UInt8], _ source: [UInt8], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let old = try #require(list(source).first { $0.type == "mdat" }, sourceLocation: sourceLocation)
        let new = try #require(list(result).first { $0.type == "mdat" }, sourceLocation: sourceLocation)
        #expect(
            result[new.start + new.header..<new.end] == source[old.start + old.header..<old.end],
            sourceLocation: sourceLocation)
        let before = chunkOffsets(source)
        let after = chunkOffsets(result)
        try #require(before.map(\.count) == after.map(\.count), sourceLocation: sourceLocation)
        #expect(before.contains { !$0.isEmpty }, sourceLocation: sourceLocation)
        let shift = new.start + new.header - old.start - old.header
        for (from, to) in zip(before.joined(), after.joined()) where to - from != shift {
            Issue.record("chunk at \(from) is now looked for at \(to)", sourceLocation: sourceLocation)
            return
        }
    }
}

/// Movies put together by hand.
enum TestMovie {
    static func box(_ type: String, _ payload: [UInt8]) -> [UInt8] {
        bigEndian(payload.count + 8, 4) + Array(type.utf8) + payload
    }

    static func bigEndian(_ number: Int, _ width: Int) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: number >> (8 * (width - 1 - $0))) }
    }

    /// An index of one track per list of chunk offsets; `padding` bytes of `udta` set its size.
    static func index(_ tracks: [[Int]], padding: Int = 0, wide: Bool = false) -> [UInt8] {
        let boxes = tracks.flatMap { offsets in
            let table =
                bigEndian(0, 4) + bigEndian(offsets.count, 4) + offsets.flatMap { bigEndian($0, wide ? 8 : 4) }
            return box(
                "trak",
                box("tkhd", [1, 2, 3])
                    + box(
                        "mdia",
                        box("hdlr", [4])
                            + box(
                                "minf",
                                box("stbl", box("stsz", [5, 6]) + box(wide ? "co64" : "stco", table)))))
        }
        return box("moov", box("mvhd", [7, 7, 7]) + boxes + box("udta", [UInt8](repeating: 9, count: padding)))
    }

    static let fileType = box("ftyp", Array("isom".utf8) + [0, 0, 2, 0] + Array("isommp41".utf8))

    /// A whole file as libav's muxer leaves it: file type, 8 bytes of padding, media, index.
    static func file(media: Int = 5000, padding: Int = 0, wide: Bool = false) -> [UInt8] {
        let start = fileType.count + 8 + 8
        let offsets = stride(from: start, to: start + media, by: 100).map { $0 }
        let content = (0..<media).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 256) }
        return fileType + box("free", []) + box("mdat", content)
            + index(
                [offsets.filter { $0 % 200 < 100 }, offsets.filter { $0 % 200 >= 100 }], padding: padding, wide: wide)
    }
}
