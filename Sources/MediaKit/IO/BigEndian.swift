extension ArraySlice<UInt8> {
    /// The big-endian number `offset` bytes after the start, or `nil` if the slice ends before it does.
    func bigEndian<Number: FixedWidthInteger & UnsignedInteger>(_ type: Number.Type, at offset: Int) -> Number? {
        guard offset >= 0, offset <= count - MemoryLayout<Number>.size else { return nil }
        var number: Number = 0
        for index in startIndex + offset..<startIndex + offset + MemoryLayout<Number>.size {
            number = number << 8 | Number(self[index])
        }
        return number
    }
}

extension [UInt8] {
    mutating func appendBigEndian(_ number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
    }
}
