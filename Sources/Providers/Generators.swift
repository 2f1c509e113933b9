public import Transfer

/// Makes pictures by a description.
public protocol ImageGenerator: Sendable {
    /// With the model: "fal:fal-ai/flux/srpo".
    var engineName: String { get }

    /// Orders it, which is paid for. The ticket can be stored, so that a later attempt waits for the same order.
    ///
    /// - Throws: ``ProviderError``.
    func submit(_ request: ImageRequest) async throws -> GenerationTicket

    /// Waits for what was ordered. When the task is cancelled the order stands: another call takes up the wait.
    ///
    /// - Throws: ``ProviderError``; of code `expired` where the service no longer has it, and it must be ordered anew.
    func result(_ ticket: GenerationTicket) async throws -> GeneratedMedia

    /// Gives an order up, as far as the service can.
    func cancel(_ ticket: GenerationTicket) async throws
}

extension ImageGenerator {
    /// Orders and waits. Given up at the service, too, when the task is cancelled or it takes too long.
    ///
    /// - Throws: ``ProviderError``.
    public func generate(_ request: ImageRequest) async throws -> GeneratedMedia {
        let ticket = try await submit(request)
        return try await ticket.orCancelling(cancel) { try await result(ticket) }
    }
}

/// Makes clips by a description, or of a picture.
public protocol VideoGenerator: Sendable {
    /// With the model: "fal:fal-ai/veo3.1/fast".
    var engineName: String { get }

    /// Orders it, which is paid for. The ticket can be stored, so that a later attempt waits for the same order.
    ///
    /// - Throws: ``ProviderError``.
    func submit(_ request: VideoRequest) async throws -> GenerationTicket

    /// Waits for what was ordered. When the task is cancelled the order stands: another call takes up the wait.
    ///
    /// - Throws: ``ProviderError``; of code `expired` where the service no longer has it, and it must be ordered anew.
    func result(_ ticket: GenerationTicket) async throws -> GeneratedMedia

    /// Gives an order up, as far as the service can.
    func cancel(_ ticket: GenerationTicket) async throws
}

extension VideoGenerator {
    /// Orders and waits. Given up at the service, too, when the task is cancelled or it takes too long.
    ///
    /// - Throws: ``ProviderError``.
    public func generate(_ request: VideoRequest) async throws -> GeneratedMedia {
        let ticket = try await submit(request)
        return try await ticket.orCancelling(cancel) { try await result(ticket) }
    }
}

/// A picture that is wanted.
public struct ImageRequest: Sendable, Equatable {
    public var prompt: String
    /// Width by height.
    public var aspect: Aspect
    /// The same seed gives the same picture, where the model can.
    public var seed: Int?

    public init(prompt: String, aspect: Aspect = .landscape, seed: Int? = nil) {
        self.prompt = prompt
        self.aspect = aspect
        self.seed = seed
    }
}

/// A clip that is wanted.
public struct VideoRequest: Sendable, Equatable {
    public var prompt: String
    /// What it begins with; `nil` for a clip of words alone.
    public var image: HTTPURL?
    public var aspect: Aspect
    public var seed: Int?

    public init(prompt: String, image: HTTPURL? = nil, aspect: Aspect = .landscape, seed: Int? = nil) {
        self.prompt = prompt
        self.image = image
        self.aspect = aspect
        self.seed = seed
    }
}

/// Width by height.
public enum Aspect: String, Codable, Sendable, CaseIterable {
    /// 16:9
    case landscape
    /// 9:16
    case portrait
    /// 1:1
    case square
}

/// What was made, at the service: it is gone after some time.
public struct GeneratedMedia: Codable, Sendable, Equatable {
    /// Where it can be fetched, without credentials.
    public var url: String
    /// "image/png"
    public var contentType: String?
    /// Pixels, where the service says so.
    public var width: Int?
    public var height: Int?
    /// The service's own name for the request.
    public var requestID: String?

    public init(
        url: String, contentType: String? = nil, width: Int? = nil, height: Int? = nil, requestID: String? = nil
    ) {
        self.url = url
        self.contentType = contentType
        self.width = width
        self.height = height
        self.requestID = requestID
    }
}
