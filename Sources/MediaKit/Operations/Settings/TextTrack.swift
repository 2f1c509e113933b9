/// A track of subtitles that is made for an output, for players to show or not.
///
/// ```json
/// {"subtitles": {"file": "talk.de.srt"}, "language": "de", "default": true}
/// ```
public struct TextTrack: Codable, Sendable, Equatable {
    /// Whose words it has; a track of the input is carried along by `streams` instead.
    public var subtitles: SubtitleInput
    /// An ISO 639-1 or 639-2 code, or a BCP 47 tag; MP4 keeps codes of three letters alone.
    public var language: String?
    /// What players call it.
    public var title: String?
    /// Whether players show it unless they are told otherwise. Default false.
    public var isDefault: Bool
    /// Whether it holds what has to be read even by those who understand the sound. Default false.
    public var isForced: Bool

    public init(
        subtitles: SubtitleInput, language: String? = nil, title: String? = nil, isDefault: Bool = false,
        isForced: Bool = false
    ) {
        self.subtitles = subtitles
        self.language = language
        self.title = title
        self.isDefault = isDefault
        self.isForced = isForced
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case subtitles, language, title
        case isDefault = "default"
        case isForced = "forced"
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self)
        subtitles = try values.decode(SubtitleInput.self, forKey: .subtitles)
        language = try values.decodeIfPresent(String.self, forKey: .language)
        title = try values.decodeIfPresent(String.self, forKey: .title)
        isDefault = try values.decodeIfPresent(Bool.self, forKey: .isDefault) ?? false
        isForced = try values.decodeIfPresent(Bool.self, forKey: .isForced) ?? false
    }

    func validate() throws {
        if case .embedded = subtitles {
            throw MediaError(
                .badRequest, "a text track of the input is not made anew",
                hint: "it is carried along where the container takes it: see streams.subtitles")
        }
        if let language, !Self.isTag(language) {
            throw MediaError(.badRequest, "textTracks: a language is a code such as en, deu or pt-BR")
        }
        if let title, title.utf8.count > 200 {
            throw MediaError(.badRequest, "textTracks: a title has 200 bytes at most")
        }
    }

    /// Whether it may be a BCP 47 tag.
    static func isTag(_ language: String) -> Bool {
        (2...35).contains(language.utf8.count)
            && language.utf8.allSatisfy { $0 == UInt8(ascii: "-") || isAlphanumeric($0) }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
