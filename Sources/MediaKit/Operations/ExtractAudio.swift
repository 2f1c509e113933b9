public struct ExtractAudioResult: Codable, Sendable {}
public struct ExtractAudio: MediaOperation, Equatable {
    public static let name = "extract_audio"
    public var input: String
    public init(input: String) { self.input = input }
    public func validate() throws {}
    public var request: MediaRequest { .extractAudio(self) }
    public static func output(of result: MediaResult) -> ExtractAudioResult? { nil }
}
extension ExtractAudio: ExecutableOperation {
    var settings: JobSettings { JobSettings() }
    func execute(_ job: Job) throws -> MediaResult { throw MediaError(.internal, "") }
}
