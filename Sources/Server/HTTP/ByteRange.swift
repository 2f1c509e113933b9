/// The part of something that a request asks for. RFC 9110, §14.
enum ByteRange: Sendable, Hashable {
    case whole
    case part(Range<Int64>)
    /// It begins behind the end: 416.
    case unsatisfiable

    /// Reads a `Range` field. What cannot be read, and several ranges at once, mean the whole, as the RFC allows.
    ///
    /// - Parameter size: bytes of the whole.
    init(_ header: String?, size: Int64) {
        self = .whole
        guard let header, header.lowercased().hasPrefix("bytes=") else { return }
        let text = header.dropFirst("bytes=".count).trimmingSpaces
        let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map(\.trimmingSpaces)
        guard ends.count == 2, ends.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else { return }
        switch (Int64(ends[0]), Int64(ends[1])) {
        case (let first?, let last?):
            guard first <= last else { return }
            self = first < size ? .part(first..<(min(last, size - 1) + 1)) : .unsatisfiable
        case (let first?, nil):
            // A number that is too large for us is too large for any file.
            guard ends[1].isEmpty else { return }
            self = first < size ? .part(first..<size) : .unsatisfiable
        case (nil, let length?):
            guard ends[0].isEmpty else { return }
            self = length > 0 && size > 0 ? .part(max(0, size - length)..<size) : .unsatisfiable
        case (nil, nil): return
        }
    }
}
