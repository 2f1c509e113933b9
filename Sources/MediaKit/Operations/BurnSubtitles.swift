public struct BurnSubtitles: MediaOperation, Equatable {
    public static let name = "burn_subtitles"
    public var input: String
    public init(input: String) { self.input = input }
    public func validate() throws {}
    public var request: MediaRequest { .burnSubtitles(self) }
    public static func output(of result: MediaResult) -> RenderResult? { nil }
}
extension BurnSubtitles: ExecutableOperation {
    var settings: JobSettings { JobSettings() }
    func execute(_ job: Job) throws -> MediaResult { throw MediaError(.internal, "") }
}
