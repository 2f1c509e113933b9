/// The formats that single pictures are written in.
public enum ImageFormat: String, Codable, Sendable, CaseIterable {
    case jpg, png, webp

    /// The format that the ending of a file's name or of a URL's path stands for.
    public init?(fileName: String) {
        let name = fileName.locationPath
        guard let dot = name.lastIndex(of: "."), !name[dot...].contains("/") else { return nil }
        switch name[name.index(after: dot)...].lowercased() {
        case "jpg", "jpeg", "jpe": self = .jpg
        case "png": self = .png
        case "webp": self = .webp
        default: return nil
        }
    }

    /// What files of it end with.
    public var fileExtension: String { rawValue }

    /// "image/jpeg" and so on.
    public var mediaType: String {
        switch self {
        case .jpg: "image/jpeg"
        case .png: "image/png"
        case .webp: "image/webp"
        }
    }

    static func resolve(_ asked: ImageFormat?, output: String) throws -> ImageFormat {
        if let format = asked ?? ImageFormat(fileName: output) { return format }
        throw MediaError(
            .badRequest, "the picture format of \"\(output.shownLocation)\" cannot be told from its name",
            hint: "set format to one of \(allCases.map(\.rawValue).joined(separator: ", "))")
    }
}
