import ByteIO

/// The last step of ``ProgressiveMovieOutput``: where the index goes, now that its size is known.
struct MovieIndexPlacement {
    let output: DirectOutput
    let head: MovieHead
    /// Bytes of the `free` box behind the file type.
    let room: Int

    /// Bytes of media that are moved at a time.
    private static let chunk = 1 << 20
    /// Boxes behind the media whose offsets are not known how to move, or which make the file a fragmented one.
    private static let immovable: Set<FourCC> = ["moof", "mdat", "mfra", "sidx", "ssix", "styp", "meta"]

    /// Puts the index in `tail`, which is what the muxer wrote behind the media, in front if that is possible.
    ///
    /// - Returns: warnings.
    func place(tail: [UInt8]) throws -> [String] {
        do {
            let (boxes, trailing) = try MovieBox.read(tail[...])
            let indices = boxes.indices.filter { boxes[$0].type == "moov" }
            guard indices.count == 1, let position = indices.first, trailing.isEmpty else {
                throw MovieBox.Malformed(description: "\(indices.count) indices behind the media")
            }
            if let box = boxes.first(where: { Self.immovable.contains($0.type) }) {
                throw MovieBox.Malformed(description: "a box '\(box.type)' behind the media")
            }
            let index = try MovieIndex(boxes[position], insertion: Int64(head.insertion))
            return try place(index, before: boxes[..<position], after: boxes[(position + 1)...])
        } catch let error as MovieBox.Malformed {
            throw MediaError(
                .internal, "the movie's index cannot be moved: \(error)", input: output.sink.name, cause: error)
        }
    }

    private func place(_ index: MovieIndex, before: ArraySlice<MovieBox>, after: ArraySlice<MovieBox>) throws
        -> [String]
    {
        let size = index.size(shift: Int64(room))
        var warnings: [String] = []
        if size > ProgressiveMovieOutput.largestIndexInFront {
            warnings = ["index left at the end: it takes \(size >> 20) MiB"]
        } else if let filled = fill(size) {
            try write(index.encoded(shift: Int64(room)), filledTo: filled)
        } else if let sink = output.sink as? any ReadableByteSink, sink.rewritableHead == .max {
            let missing = missing(index)
            try moveMedia(by: missing, in: sink)
            try write(index.encoded(shift: Int64(room + missing)), filledTo: room + missing)
        } else {
            warnings = ["index left at the end: it takes \(size) bytes and \(room) were kept for it at the start"]
        }
        var rest: [UInt8] = []
        for box in before { box.append(to: &rest) }
        if !warnings.isEmpty { rest += try index.encoded(shift: Int64(room)) }
        for box in after { box.append(to: &rest) }
        try output.write(rest, at: output.size)
        return warnings
    }

    // MARK: Into the room

    /// How many bytes from the insertion on an index of `size` bytes and the `free` box behind it take together, or
    /// `nil` if it does not fit. Nothing is left, or room for the 8 bytes of a `free` box at least; the muxer's own
    /// padding before the media is used where that helps.
    private func fill(_ size: Int) -> Int? {
        [room, room + head.paddingEnd - head.insertion].first { $0 == size || $0 - size >= 8 }
    }

    private func write(_ index: [UInt8], filledTo end: Int) throws {
        var bytes = index
        let rest = end - index.count
        if rest > 0 {
            bytes += MovieBox.freeHeader(size: rest)
            // What remains of the header of the padding, if that was used.
            bytes += repeatElement(0, count: min(rest - 8, 8))
        }
        try output.write(bytes, at: Int64(head.insertion))
    }

    // MARK: Making room

    /// By how many bytes the media must be moved up for the index to fit, which it then does exactly, or with room
    /// for a `free` box. Moving it may widen offsets, for which it must be moved further: at most once per table.
    private func missing(_ index: MovieIndex) -> Int {
        var missing = 1
        while true {
            let lacking = index.size(shift: Int64(room + missing)) - (room + missing)
            if lacking == 0 || lacking <= -8 { return missing }
            missing += lacking > 0 ? lacking : 8 + lacking
        }
    }

    /// Moves all behind the room up by `distance` bytes, from the end backwards so that nothing is overwritten
    /// before it is copied.
    private func moveMedia(by distance: Int, in sink: any ReadableByteSink) throws {
        let distance = Int64(distance)
        let start = Int64(head.insertion + room)
        let end = output.size
        var buffer = [UInt8](repeating: 0, count: Int(min(Int64(Self.chunk), end - start)))
        func copy(_ count: Int, from position: Int64) throws {
            try buffer.withUnsafeMutableBytes { buffer in
                var done = 0
                while done < count {
                    let read = try sink.readBack(
                        into: UnsafeMutableRawBufferPointer(rebasing: buffer[done..<count]), at: position + Int64(done))
                    guard read > 0 else {
                        throw MediaError(.io, "what was written cannot be read back", input: sink.name)
                    }
                    done += read
                }
                try output.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), at: position + distance)
            }
        }
        // The last bytes go behind the end, where they can only be appended, and so in order.
        var position = max(start, end - distance)
        try output.appendZeros(position + distance - end)
        let appended = position
        while position < end {
            let count = Int(min(Int64(buffer.count), end - position))
            try copy(count, from: position)
            position += Int64(count)
        }
        position = appended
        while position > start {
            let count = Int(min(Int64(buffer.count), position - start))
            position -= Int64(count)
            try copy(count, from: position)
        }
    }
}
