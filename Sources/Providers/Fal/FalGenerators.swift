import Transfer

/// Pictures by an endpoint of fal.ai.
public struct FalImageGenerator: ImageGenerator {
    public var engineName: String { "fal:\(endpoint)" }
    private let endpoint: String
    private let queue: FalQueue

    /// - Parameter endpoint: "fal-ai/flux/srpo". One that is not known is sent prompt and seed alone.
    public init(endpoint: String, queue: FalQueue) {
        self.endpoint = endpoint
        self.queue = queue
    }

    public func submit(_ request: ImageRequest) async throws -> GenerationTicket {
        let input = try FalInput.image(request, endpoint: endpoint)
        return try await queue.submit(input.endpoint, input.body)
    }

    public func result(_ ticket: GenerationTicket) async throws -> GeneratedMedia {
        let output = try queue.read(FalOutput.self, of: try await queue.result(ticket))
        // Such a picture is black.
        guard output.has_nsfw_concepts?.first != true else {
            throw ProviderError(
                .refused, "the service's filter has blackened the picture", provider: "fal", hint: "change the prompt",
                requestID: ticket.requestID)
        }
        return try FalOutput.media(output.images?.first ?? output.image, ticket)
    }

    public func cancel(_ ticket: GenerationTicket) async throws { try await queue.cancel(ticket) }
}

/// Clips by an endpoint of fal.ai.
///
/// Where a request has a picture, the endpoint's variant for pictures is asked: "…/image-to-video".
public struct FalVideoGenerator: VideoGenerator {
    public var engineName: String { "fal:\(endpoint)" }
    private let endpoint: String
    private let queue: FalQueue
    private let makesSound: Bool

    /// - Parameters:
    ///   - endpoint: "fal-ai/veo3.1/fast". One that is not known is sent prompt, picture and seed alone.
    ///   - makesSound: whether models that can make sound with the clip do, at a higher price.
    public init(endpoint: String, queue: FalQueue, makesSound: Bool = false) {
        self.endpoint = endpoint
        self.queue = queue
        self.makesSound = makesSound
    }

    public func submit(_ request: VideoRequest) async throws -> GenerationTicket {
        let input = try FalInput.video(request, endpoint: endpoint, sound: makesSound)
        return try await queue.submit(input.endpoint, input.body)
    }

    public func result(_ ticket: GenerationTicket) async throws -> GeneratedMedia {
        let output = try queue.read(FalOutput.self, of: try await queue.result(ticket))
        return try FalOutput.media(output.video ?? output.videos?.first, ticket)
    }

    public func cancel(_ ticket: GenerationTicket) async throws { try await queue.cancel(ticket) }
}

/// What models answer, as the service spells it.
private struct FalOutput: Decodable {
    var images: [File]?
    var image: File?
    var video: File?
    var videos: [File]?
    var has_nsfw_concepts: [Bool]?

    struct File: Decodable {
        var url: String
        var content_type: String?
        var width: Int?
        var height: Int?
    }

    static func media(_ file: File?, _ ticket: GenerationTicket) throws(ProviderError) -> GeneratedMedia {
        guard let file, (try? HTTPURL(file.url)) != nil else {
            throw ProviderError(
                .badAnswer, "the result names no file that could be fetched", provider: "fal",
                hint: "check that the endpoint makes what is wanted", requestID: ticket.requestID)
        }
        return GeneratedMedia(
            url: file.url, contentType: file.content_type, width: file.width, height: file.height,
            requestID: ticket.requestID)
    }
}
