/// A piece of work on media: a value that is the library's argument, the command's `--request` and a job's payload
/// alike.
///
/// In JSON it is an object with the key `operation` and the operation's own keys. Unknown keys are refused; every key
/// that has a default may be left out.
public protocol MediaOperation: Codable, Sendable {
    /// What it answers with.
    associatedtype Output: Codable & Sendable

    /// The operation's name in JSON: "transcode".
    static var name: String { get }

    /// Throws ``MediaError`` with code `bad_request` if a value is out of range or two exclude each other. Looks at
    /// nothing but the request.
    func validate() throws

    /// The operation as a request of any kind.
    var request: MediaRequest { get }

    /// Takes this operation's result out of a result of any kind.
    static func output(of result: MediaResult) -> Output?
}

/// Any operation.
public enum MediaRequest: Codable, Sendable {
    /// Tells what is in a file.
    case probe(Probe)
    /// Changes a file's container, codecs, size, rate or length.
    case transcode(Transcode)
    /// Draws subtitles into a video's pictures.
    case burnSubtitles(BurnSubtitles)
    /// Takes the sound out of a file.
    case extractAudio(ExtractAudio)
    /// Makes a short clip to try things on.
    case sampleClip(SampleClip)
    /// Tells how loud a file's sound is.
    case measureLoudness(MeasureLoudness)
    /// Makes a file's sound as loud as is asked for.
    case normalizeLoudness(NormalizeLoudness)
    /// Lays the sound of several files over each other.
    case mixAudio(MixAudio)
    /// Joins clips and still images to one video.
    case concatenateClips(ConcatenateClips)
    /// Repeats a clip for an exact time.
    case loopTo(LoopTo)
    /// Makes a video or picture out of sound.
    case waveform(Waveform)
    /// Takes pictures out of a video.
    case thumbnail(Thumbnail)

    /// The names that `operation` may have.
    public static let operationNames = [
        Probe.name,
        Transcode.name,
        BurnSubtitles.name,
        ExtractAudio.name,
        SampleClip.name,
        MeasureLoudness.name,
        NormalizeLoudness.name,
        MixAudio.name,
        ConcatenateClips.name,
        LoopTo.name,
        Waveform.name,
        Thumbnail.name,
    ]

    var operation: any ExecutableOperation {
        switch self {
        case .probe(let operation): operation
        case .transcode(let operation): operation
        case .burnSubtitles(let operation): operation
        case .extractAudio(let operation): operation
        case .sampleClip(let operation): operation
        case .measureLoudness(let operation): operation
        case .normalizeLoudness(let operation): operation
        case .mixAudio(let operation): operation
        case .concatenateClips(let operation): operation
        case .loopTo(let operation): operation
        case .waveform(let operation): operation
        case .thumbnail(let operation): operation
        }
    }

    private enum Key: String, CodingKey {
        case operation
    }

    public init(from decoder: any Swift.Decoder) throws {
        let name = try decoder.container(keyedBy: Key.self).decode(String.self, forKey: .operation)
        switch name {
        case Probe.name: self = .probe(try Probe(from: decoder))
        case Transcode.name: self = .transcode(try Transcode(from: decoder))
        case BurnSubtitles.name: self = .burnSubtitles(try BurnSubtitles(from: decoder))
        case ExtractAudio.name: self = .extractAudio(try ExtractAudio(from: decoder))
        case SampleClip.name: self = .sampleClip(try SampleClip(from: decoder))
        case MeasureLoudness.name: self = .measureLoudness(try MeasureLoudness(from: decoder))
        case NormalizeLoudness.name: self = .normalizeLoudness(try NormalizeLoudness(from: decoder))
        case MixAudio.name: self = .mixAudio(try MixAudio(from: decoder))
        case ConcatenateClips.name: self = .concatenateClips(try ConcatenateClips(from: decoder))
        case LoopTo.name: self = .loopTo(try LoopTo(from: decoder))
        case Waveform.name: self = .waveform(try Waveform(from: decoder))
        case Thumbnail.name: self = .thumbnail(try Thumbnail(from: decoder))
        default:
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: decoder.codingPath + [Key.operation],
                    debugDescription:
                        "unknown operation \"\(name)\"; there are \(Self.operationNames.joined(separator: ", "))"))
        }
    }

    public func encode(to encoder: any Swift.Encoder) throws {
        try operation.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(type(of: operation).name, forKey: .operation)
    }
}

/// What carries requests out: this process (``MediaEngine``), or another one that is sent the same JSON.
public protocol MediaExecutor: Sendable {
    /// - Parameter progress: called at most ten times a second, from any thread.
    /// - Throws: ``MediaError``, nothing else. Cancelling the task cancels the work.
    func execute(
        _ request: MediaRequest, progress: (@Sendable (Progress) -> Void)?
    ) async throws -> MediaResult
}

extension MediaExecutor {
    /// Carries out one operation.
    ///
    /// ```swift
    /// let result = try await MediaEngine().run(Transcode(input: "in.mov", output: "out.mp4"))
    /// ```
    public func run<Operation: MediaOperation>(
        _ operation: Operation, progress: (@Sendable (Progress) -> Void)? = nil
    ) async throws -> Operation.Output {
        let result = try await execute(operation.request, progress: progress)
        guard let output = Operation.output(of: result) else {
            throw MediaError(.internal, "the executor answered \(Operation.name) with another operation's result")
        }
        return output
    }
}

/// How an operation is carried out in this process: on the job's own thread.
protocol ExecutableOperation: MediaOperation {
    var settings: JobSettings { get }
    func execute(_ job: Job) throws -> MediaResult
}

/// What all operations can be told about how to work.
struct JobSettings {
    var threads: Int?
    var limits = Limits()
}
