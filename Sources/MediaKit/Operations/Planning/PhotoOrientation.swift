import CAVShim

/// How a photo is to be turned. Telephones write it beside the picture (EXIF), where it is only found once that is decoded.
enum PhotoOrientation {
    /// - Parameter stream: of an image file, which is read to its first picture.
    /// - Returns: what the container says, else the picture itself.
    static func of(
        _ stream: InputStream, tolerance: Tolerance, control: JobControl
    ) throws -> Orientation {
        let orientation = stream.orientation
        guard orientation.isUpright, stream.demuxer.isImage else { return orientation }
        let reader = try PictureReader(stream, demuxer: stream.demuxer, tolerance: tolerance, control: control)
        return try reader.next()?.frame.orientation ?? orientation
    }
}

extension Demuxer {
    /// Whether it is an image file.
    var isImage: Bool {
        let name = formatName
        return name == "image2" || (name.hasSuffix("_pipe") && !name.hasPrefix("yuv4mpeg"))
    }
}
