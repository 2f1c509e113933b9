/// Text in columns.
struct TextTable {
    private var rows: [[String]] = []
    private let indent: String
    /// Columns whose text stands at the right.
    private let rightAligned: Set<Int>

    init(indent: Int = 2, rightAligned: Set<Int> = []) {
        self.indent = String(repeating: " ", count: indent)
        self.rightAligned = rightAligned
    }

    mutating func add(_ row: [String]) { rows.append(row.map(\.printable)) }

    /// A row of a name and a value, if there is one.
    mutating func add(_ name: String, _ value: String?) {
        if let value, !value.isEmpty { add([name, value]) }
    }

    /// Columns where nothing stands are left out; but for the head's sake only if `hasHead`.
    func lines(hasHead: Bool = false) -> [String] {
        let count = rows.map(\.count).max() ?? 0
        let widths = (0..<count).map { column -> Int in
            let cells = rows.map { column < $0.count ? $0[column].count : 0 }
            let isEmpty = cells.dropFirst(hasHead ? 1 : 0).allSatisfy { $0 == 0 }
            return isEmpty ? 0 : cells.max() ?? 0
        }
        return rows.map { row in
            var line = indent
            for (column, width) in widths.enumerated() where width > 0 {
                let cell = column < row.count ? row[column] : ""
                let gap = String(repeating: " ", count: max(0, width - cell.count))
                line += (rightAligned.contains(column) ? gap + cell : cell + gap) + "  "
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }
    }
}
