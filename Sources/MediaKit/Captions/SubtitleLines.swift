/// A text in UTF-8 cut into lines, ended by LF, CR LF or CR.
struct SubtitleLines {
    let bytes: [UInt8]
    private let starts: [UInt32]

    init(_ bytes: [UInt8], limits: SubtitleLimits, name: String) throws(MediaError) {
        var starts: [UInt32] = [0]
        for (index, byte) in bytes.enumerated() {
            let endsLine = byte == 0x0A || (byte == 0x0D && !(index + 1 < bytes.count && bytes[index + 1] == 0x0A))
            guard endsLine, index + 1 < bytes.count else { continue }
            starts.append(UInt32(truncatingIfNeeded: index + 1))
            if starts.count > limits.lines { throw limits.exceeded("more than \(limits.lines) lines", name: name) }
        }
        self.bytes = bytes
        self.starts = starts
    }

    var count: Int { starts.count }

    /// A line (from 0) without its end.
    subscript(index: Int) -> ArraySlice<UInt8> {
        let start = Int(starts[index])
        var end = index + 1 < starts.count ? Int(starts[index + 1]) : bytes.count
        while end > start, bytes[end - 1] == 0x0A || bytes[end - 1] == 0x0D { end -= 1 }
        return bytes[start..<end]
    }

    /// The text of a cue: some lines (from 0), with a line feed between them.
    ///
    /// - Parameter timeLine: where the cue's times stand, from 0, for the message.
    /// - Throws: ``MediaError`` with code `resource_limit` if it is longer than a cue may be.
    func cueText(
        _ range: Range<Int>, timeLine: Int, limits: SubtitleLimits, name: String
    ) throws(MediaError) -> [UInt8] {
        var joined: [UInt8] = []
        for line in range {
            if !joined.isEmpty { joined.append(0x0A) }
            joined.append(contentsOf: self[line])
            if joined.count > limits.cueBytes {
                throw limits.exceeded("a cue of more than \(limits.cueBytes) bytes", timeLine + 1, name: name)
            }
        }
        return joined
    }

    /// The line (from 1) that holds the byte at `offset`.
    func number(at offset: Int) -> Int {
        var (low, high) = (0, starts.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if Int(starts[middle]) <= offset { low = middle } else { high = middle }
        }
        return low + 1
    }
}

extension ArraySlice<UInt8> {
    /// Without blanks and tabs at both ends.
    var trimmed: ArraySlice<UInt8> {
        var slice = self
        while let first = slice.first, first == 0x20 || first == 0x09 || first == 0x0C { slice = slice.dropFirst() }
        while let last = slice.last, last == 0x20 || last == 0x09 || last == 0x0C { slice = slice.dropLast() }
        return slice
    }

    var isBlank: Bool { trimmed.isEmpty }

    var isDigits: Bool { !isEmpty && allSatisfy { (0x30...0x39).contains($0) } }

    var string: String { String(decoding: self, as: UTF8.self) }

    /// The index of the first place where `text` stands.
    func find(_ text: String, from: Int? = nil) -> Int? {
        let wanted = text.utf8
        guard let first = wanted.first else { return from ?? startIndex }
        var index = from ?? startIndex
        while endIndex - index >= wanted.count {
            if self[index] == first, self[index..<index + wanted.count].elementsEqual(wanted) { return index }
            index += 1
        }
        return nil
    }

    /// Whether it starts with `text`, which is in lower-case ASCII, in any case.
    func hasPrefixIgnoringCase(_ text: String) -> Bool {
        prefix(text.utf8.count).lazy.map(asciiLowercased).elementsEqual(text.utf8)
    }

    /// The parts between single bytes `separator`; at most `limit`, the last of which keeps the rest.
    func fields(separator: UInt8, limit: Int = .max) -> [ArraySlice<UInt8>] {
        split(separator: separator, maxSplits: limit - 1, omittingEmptySubsequences: false)
    }
}

func asciiLowercased(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
