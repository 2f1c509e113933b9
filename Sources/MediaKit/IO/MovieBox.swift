/// A box of an MP4 or QuickTime file (ISO/IEC 14496-12, 4.2), held in memory to be edited and written again.
///
/// Only the boxes on the way to a track's sample tables are taken apart; all others keep their bytes as they are.
struct MovieBox {
    enum Content {
        case payload(ArraySlice<UInt8>)
        /// Boxes, then bytes too few to be one: QuickTime may close a list with a 32-bit zero.
        case children([MovieBox], trailing: ArraySlice<UInt8>)
    }

    var type: FourCC
    var content: Content

    /// Why bytes are not boxes.
    struct Malformed: Error, CustomStringConvertible {
        var description: String
    }

    /// The start of a box: its type, and where its payload begins and ends.
    struct Header {
        var type: FourCC
        /// 8 bytes, or 16 with a 64-bit size.
        var length: Int
        /// Bytes of the whole box; `nil` if it goes on to the end of the file.
        var size: Int?

        /// Reads the header at the start of `bytes`; `nil` if they are too few.
        init?(_ bytes: ArraySlice<UInt8>) throws {
            guard let short = bytes.bigEndian(UInt32.self, at: 0), let type = bytes.bigEndian(UInt32.self, at: 4)
            else { return nil }
            self.type = FourCC(rawValue: type)
            switch short {
            case 0:
                length = 8
                size = nil
            case 1:
                guard let long = bytes.bigEndian(UInt64.self, at: 8) else { return nil }
                length = 16
                guard (16...UInt64(Int.max / 2)).contains(long) else {
                    throw Malformed(description: "box '\(self.type)' has the impossible size \(long)")
                }
                size = Int(long)
            default:
                length = 8
                guard short >= 8 else {
                    throw Malformed(description: "box '\(self.type)' has the impossible size \(short)")
                }
                size = Int(short)
            }
        }
    }

    // MARK: Reading

    /// The most boxes that one list is taken apart into: a bound on memory for bytes that are no movie.
    static let boxLimit = 100_000

    /// Reads boxes that lie one after another.
    ///
    /// - Throws: ``Malformed`` if a box ends outside the one that it lies in, or if there are too many.
    static func read(_ bytes: ArraySlice<UInt8>) throws -> (boxes: [MovieBox], trailing: ArraySlice<UInt8>) {
        var budget = boxLimit
        return try read(bytes, in: nil, budget: &budget)
    }

    /// The boxes whose payload is boxes, by the one that they lie in: the way down to the sample tables. Anything
    /// else, such as a track within a track, is left alone, so that the depth is bounded.
    private static func isContainer(_ type: FourCC, in parent: FourCC?) -> Bool {
        switch (parent, type) {
        case (nil, "moov"), ("moov", "trak"), ("trak", "mdia"), ("mdia", "minf"), ("minf", "stbl"): true
        default: false
        }
    }

    private static func read(
        _ bytes: ArraySlice<UInt8>, in parent: FourCC?, budget: inout Int
    ) throws -> (boxes: [MovieBox], trailing: ArraySlice<UInt8>) {
        var boxes: [MovieBox] = []
        var rest = bytes
        while rest.count >= 8 {
            guard let header = try Header(rest) else {
                throw Malformed(description: "the last box is cut off")
            }
            let size = header.size ?? rest.count
            guard size <= rest.count else {
                throw Malformed(description: "box '\(header.type)' of \(size) bytes ends outside its parent")
            }
            budget -= 1
            guard budget >= 0 else { throw Malformed(description: "more than \(boxLimit) boxes") }
            let payload = rest.prefix(size).dropFirst(header.length)
            var content = Content.payload(payload)
            if isContainer(header.type, in: parent) {
                let (children, trailing) = try read(payload, in: header.type, budget: &budget)
                content = .children(children, trailing: trailing)
            }
            boxes.append(MovieBox(type: header.type, content: content))
            rest = rest.dropFirst(size)
        }
        return (boxes, rest)
    }

    // MARK: Writing

    var payloadSize: Int {
        switch content {
        case .payload(let bytes): bytes.count
        case .children(let boxes, let trailing): boxes.reduce(trailing.count) { $0 + $1.size }
        }
    }

    /// Bytes of the whole box when it is written: a 64-bit size takes 8 more, and is used only where it must be.
    var size: Int { Self.headerSize(payload: payloadSize) + payloadSize }

    static func headerSize(payload: Int) -> Int { payload + 8 <= Int(UInt32.max) ? 8 : 16 }

    func append(to bytes: inout [UInt8]) {
        Self.appendHeader(type, payload: payloadSize, to: &bytes)
        switch content {
        case .payload(let payload):
            bytes.append(contentsOf: payload)
        case .children(let boxes, let trailing):
            for box in boxes { box.append(to: &bytes) }
            bytes.append(contentsOf: trailing)
        }
    }

    static func appendHeader(_ type: FourCC, payload: Int, to bytes: inout [UInt8]) {
        if headerSize(payload: payload) == 8 {
            bytes.appendBigEndian(UInt32(payload + 8))
            bytes.appendBigEndian(type.rawValue)
        } else {
            bytes.appendBigEndian(UInt32(1))
            bytes.appendBigEndian(type.rawValue)
            bytes.appendBigEndian(UInt64(payload + 16))
        }
    }

    /// The header of a `free` box of `size` bytes in all, at least 8 and less than 4 GiB.
    static func freeHeader(size: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        appendHeader("free", payload: size - 8, to: &bytes)
        return bytes
    }
}
