/// The first bytes of a movie, up to where its media begins: what libav's mov muxer writes as its header.
struct MovieHead {
    enum Finding {
        /// More bytes are needed to say.
        case incomplete
        /// Not a movie whose media comes before its index: a fragmented one, or none at all.
        case other
        case media(MovieHead)
    }

    /// The longest head that is looked for, in bytes.
    static let longest = 64 << 10

    /// Where room for the index is inserted: behind the file type.
    var insertion: Int
    /// Where the first box behind it begins that is not padding. From `insertion` to there nothing is of use.
    var paddingEnd: Int
    /// Where the media begins, behind the header of its box.
    var mediaStart: Int
    /// Where the media ends, by the size in that header; `nil` as long as it is 0.
    var mediaEnd: Int64?

    /// Looks for the header of the media, with nothing before it but boxes that hold no offsets.
    static func find(in bytes: [UInt8]) -> Finding {
        var position = 0
        var insertion = 0
        var paddingEnd: Int?
        while true {
            guard let header = try? MovieBox.Header(bytes.dropFirst(position)) else {
                // Either too short or impossible; the latter is told apart by the bytes that are there.
                return bytes.count - position < 16 && position < longest ? .incomplete : .other
            }
            switch header.type {
            case "mdat":
                return .media(
                    MovieHead(
                        insertion: insertion, paddingEnd: paddingEnd ?? position,
                        mediaStart: position + header.length, mediaEnd: header.size.map { Int64(position) + Int64($0) })
                )
            case "ftyp" where position == 0:
                insertion = header.size ?? 0
            case "free", "skip", "wide":
                break
            case "uuid":
                paddingEnd = paddingEnd ?? position
            default:
                return .other
            }
            guard let size = header.size, size <= longest - position else { return .other }
            position += size
        }
    }
}
