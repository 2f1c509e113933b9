/// The `moov` box of a movie, of which the media is to be moved: every chunk offset of every track follows.
struct MovieIndex {
    private let box: MovieBox
    private let tables: [Table]
    private let boxSize: Int
    private let insertion: Int64

    /// What is known of one chunk offset table without taking it apart.
    private struct Table {
        var count: Int
        var isWide: Bool
        var highest: UInt64
    }

    /// Reads the tables of `box`.
    ///
    /// - Parameter insertion: where bytes are to be inserted; chunks before it stay where they are.
    /// - Throws: ``MovieBox/Malformed`` if a table is longer than its box, or if there are places in the file that
    ///   are not chunk offsets.
    init(_ box: MovieBox, insertion: Int64) throws {
        var tables: [Table] = []
        try Self.visit(box) { child in
            guard child.type != "saio" else {
                throw MovieBox.Malformed(description: "it holds offsets of encrypted samples")
            }
            if let table = try Self.table(child) { tables.append(table) }
        }
        self.box = box
        self.tables = tables
        self.insertion = insertion
        boxSize = box.size
    }

    /// Bytes that the index takes once the media has moved up by `shift` bytes.
    func size(shift: Int64) -> Int {
        // An index is held in memory and stays far below 4 GiB, so that widened tables never widen a box's header.
        tables.reduce(boxSize) { $0 + (needsWidening($1, shift) ? 4 * $1.count : 0) }
    }

    /// The index for media moved up by `shift` bytes.
    ///
    /// - Throws: ``MovieBox/Malformed`` if an offset leaves 64 bits.
    func encoded(shift: Int64) throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size(shift: shift))
        try Self.map(box) { try moved($0, shift) }.append(to: &bytes)
        return bytes
    }

    private func needsWidening(_ table: Table, _ shift: Int64) -> Bool {
        !table.isWide && table.highest >= UInt64(insertion) && table.highest + UInt64(shift) > UInt64(UInt32.max)
    }

    // MARK: One table (ISO/IEC 14496-12, 8.7.5: version and flags, count, offsets)

    private static func table(_ box: MovieBox) throws -> Table? {
        guard box.type == "stco" || box.type == "co64", case .payload(let payload) = box.content else { return nil }
        let isWide = box.type == "co64"
        guard let count = payload.bigEndian(UInt32.self, at: 4).map(Int.init),
            count <= (payload.count - 8) / (isWide ? 8 : 4)
        else { throw MovieBox.Malformed(description: "box '\(box.type)' is shorter than its table") }
        var highest: UInt64 = 0
        for offset in offsets(payload, count, isWide) { highest = max(highest, offset) }
        return Table(count: count, isWide: isWide, highest: highest)
    }

    private static func offsets(
        _ payload: ArraySlice<UInt8>, _ count: Int, _ isWide: Bool
    ) -> some Sequence<UInt64> {
        (0..<count).lazy.map { index in
            isWide
                ? payload.bigEndian(UInt64.self, at: 8 + 8 * index) ?? 0
                : UInt64(payload.bigEndian(UInt32.self, at: 8 + 4 * index) ?? 0)
        }
    }

    private func moved(_ box: MovieBox, _ shift: Int64) throws -> MovieBox {
        guard let table = try Self.table(box), case .payload(let payload) = box.content else { return box }
        let widen = needsWidening(table, shift)
        var bytes = Array(payload.prefix(8))
        bytes.reserveCapacity(payload.count + (widen ? 4 * table.count : 0))
        for offset in Self.offsets(payload, table.count, table.isWide) {
            let (sum, overflow) = offset.addingReportingOverflow(offset >= UInt64(insertion) ? UInt64(shift) : 0)
            guard !overflow else { throw MovieBox.Malformed(description: "a chunk lies beyond 2^64 bytes") }
            if widen || table.isWide {
                bytes.appendBigEndian(sum)
            } else {
                bytes.appendBigEndian(UInt32(truncatingIfNeeded: sum))
            }
        }
        bytes.append(contentsOf: payload.dropFirst(8 + table.count * (table.isWide ? 8 : 4)))
        return MovieBox(type: widen ? "co64" : box.type, content: .payload(bytes[...]))
    }

    // MARK: The tree

    private static func visit(_ box: MovieBox, _ body: (MovieBox) throws -> Void) throws {
        guard case .children(let boxes, _) = box.content else { return try body(box) }
        for child in boxes { try visit(child, body) }
    }

    private static func map(_ box: MovieBox, _ body: (MovieBox) throws -> MovieBox) throws -> MovieBox {
        guard case .children(let boxes, let trailing) = box.content else { return try body(box) }
        return MovieBox(
            type: box.type, content: .children(try boxes.map { try map($0, body) }, trailing: trailing))
    }
}
