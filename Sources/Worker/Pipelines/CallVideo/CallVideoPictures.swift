import JobQueue
import MediaKit
import Providers
import Transfer

extension CallVideoRun {
    /// An order, and whether it was made just now.
    private typealias Order = (ticket: GenerationTicket, isNew: Bool)

    /// Pictures by their descriptions. All are ordered before the first is waited for, so that they are made side by side.
    func made(
        _ prompts: [String], _ kind: CallVideo.Generation.Kind, _ generator: PictureGenerator
    ) async throws -> [Clip] {
        var orders: [Order] = []
        for (index, prompt) in prompts.enumerated() {
            orders.append(try await order(prompt, "_\(index + 1)", generator))
        }
        var clips: [Clip] = []
        for (index, prompt) in prompts.enumerated() {
            let number = index + 1
            let place = try await step(.fetchPicture, named: "_\(number)", 0.25, 0.25) { run in
                var (ticket, isNew) = orders[index]
                var renewals = 0
                while true {
                    do {
                        let media = try await generator.wait(ticket)
                        let ending = media.fileExtension(else: kind == .image ? "png" : "mp4")
                        return try await run.work.fetch(media, as: "picture-\(number).\(ending)", run.media)
                    } catch let error as ProviderError
                        where !isNew && (error.code == .expired || error.code == .failed)
                    {
                        // The order came to nothing: it has to be made anew, once in an attempt.
                        renewals += 1
                        (ticket, isNew) = try await order(prompt, "_\(number)_again_\(renewals)", generator)
                    }
                }
            }
            clips.append(Clip(input: place))
        }
        return clips
    }

    /// Orders once, whatever becomes of the attempt: an order is paid for.
    private func order(_ prompt: String, _ suffix: String, _ generator: PictureGenerator) async throws -> Order {
        var isNew = false
        let ticket = try await step(.orderPicture, named: suffix, 0.25, 0.25) { _ in
            isNew = true
            return try await generator.order(prompt)
        }
        return (ticket, isNew)
    }
}

/// One of the two that make pictures, as the steps use them.
struct PictureGenerator: Sendable {
    let order: @Sendable (String) async throws -> GenerationTicket
    let wait: @Sendable (GenerationTicket) async throws -> GeneratedMedia

    init(_ kind: CallVideo.Generation.Kind, _ services: JobServices, _ aspect: Aspect) throws {
        switch kind {
        case .image:
            guard let generator = services.providers.imageGenerator() else { throw Self.missing }
            order = { try await generator.submit(ImageRequest(prompt: $0, aspect: aspect)) }
            wait = { try await generator.result($0) }
        case .video:
            guard let generator = services.providers.videoGenerator() else { throw Self.missing }
            order = { try await generator.submit(VideoRequest(prompt: $0, aspect: aspect)) }
            wait = { try await generator.result($0) }
        }
    }

    private static let missing = ProviderError(
        .configuration, "there is nothing to make pictures with", provider: "kiln",
        hint: "set FAL_KEY, or give pictures, or leave generate out for a wave")
}
