import Transfer

/// What an endpoint is sent for a picture or clip that is wanted. Endpoints differ in the names of their fields; families
/// of models share them.
///
/// An endpoint of no known family is sent what all of them know: `prompt`, `image_url` where there is a picture, and
/// `seed` where there is one. Its results have the shape that the model likes best.
///
/// Source of the fields: `libs/client/src/types/endpoints.ts` of https://github.com/fal-ai/fal-js
struct FalInput: Sendable, Equatable {
    /// It may be a variant of the one that is set, as for pictures that move.
    var endpoint: String
    var body: JSONTree

    // MARK: Pictures

    static func image(_ request: ImageRequest, endpoint: String) throws(ProviderError) -> FalInput {
        guard !request.prompt.isEmpty else { throw refusal("a picture wants a description") }
        guard !endpoint.hasSuffix("/edit") else {
            throw refusal("\(endpoint) changes pictures, and makes none", hint: "set FAL_IMAGE_MODEL to one that does")
        }
        var members: [JSONTree.Member] = [.init("prompt", .string(request.prompt))]
        switch Family(image: endpoint) {
        case .sized:
            let size =
                switch request.aspect {
                case .landscape: "landscape_16_9"
                case .portrait: "portrait_16_9"
                case .square: "square_hd"
                }
            members += [.init("image_size", .string(size)), .init("num_images", .int(1))]
        case .proportioned:
            members += [.init("aspect_ratio", .string(request.aspect.ratio)), .init("num_images", .int(1))]
        case .unknown: break
        }
        if let seed = request.seed { members.append(.init("seed", .int(seed))) }
        return FalInput(endpoint: endpoint, body: .object(members))
    }

    private enum Family {
        /// `image_size`, by names.
        case sized
        /// `aspect_ratio`, by numbers.
        case proportioned
        case unknown

        init(image endpoint: String) {
            let proportioned = [
                "nano-banana", "imagen", "gemini", "flux-pro/v1.1-ultra", "flux-pro/kontext", "kontext/",
            ]
            let sized = [
                "fal-ai/flux", "seedream", "stable-diffusion", "sdxl", "fast-sdxl", "recraft", "ideogram", "qwen-image",
                "hidream", "z-image",
            ]
            if proportioned.contains(where: endpoint.contains) {
                self = .proportioned
            } else {
                self = sized.contains(where: endpoint.contains) ? .sized : .unknown
            }
        }
    }

    // MARK: Clips

    /// - Parameter sound: whether models that can make a clip's sound do.
    static func video(_ request: VideoRequest, endpoint: String, sound: Bool) throws(ProviderError) -> FalInput {
        guard !["lipsync", "infinitalk", "wan-effects"].contains(where: endpoint.contains) else {
            throw refusal(
                "\(endpoint) wants more than a description",
                hint: "set FAL_VIDEO_MODEL to one that makes clips of words")
        }
        let endpoint = try variant(of: endpoint, hasImage: request.image != nil)
        var members: [JSONTree.Member] = [.init("prompt", .string(request.prompt))]
        if let image = request.image { members.append(.init("image_url", .string(image.text))) }
        var takesSeed = true
        if endpoint.contains("/veo") {
            // There are no square ones.
            members.append(.init("aspect_ratio", request.aspect == .portrait ? "9:16" : "16:9"))
            members.append(.init("generate_audio", .bool(sound)))
            takesSeed = request.image == nil
        } else if ["wan", "kling", "seedance", "luma", "ray-2", "pixverse"].contains(where: endpoint.contains) {
            // Of a picture, kling takes that picture's own.
            if request.image == nil || !endpoint.contains("kling") {
                members.append(.init("aspect_ratio", .string(request.aspect.ratio)))
            }
            takesSeed = !endpoint.contains("kling")
        }
        if takesSeed, let seed = request.seed { members.append(.init("seed", .int(seed))) }
        return FalInput(endpoint: endpoint, body: .object(members))
    }

    /// The variant of an endpoint for a clip of a picture, or of words alone.
    private static func variant(of endpoint: String, hasImage: Bool) throws(ProviderError) -> String {
        let (ofWords, ofPicture) = ("/text-to-video", "/image-to-video")
        let wantsPicture = endpoint.hasSuffix(ofPicture) || endpoint.contains("-i2v")
        if !hasImage {
            guard !wantsPicture else {
                throw refusal(
                    "\(endpoint) makes clips of pictures, and there is none",
                    hint: "give a picture, or set FAL_VIDEO_MODEL to one that makes clips of words")
            }
            return endpoint
        }
        if wantsPicture { return endpoint }
        if endpoint.hasSuffix(ofWords) { return endpoint.dropLast(ofWords.count) + ofPicture }
        return endpoint.contains("/veo") ? endpoint + ofPicture : endpoint
    }

    private static func refusal(_ message: String, hint: String? = nil) -> ProviderError {
        ProviderError(.badRequest, message, provider: "fal", hint: hint)
    }
}

extension Aspect {
    /// "16:9"
    fileprivate var ratio: String {
        switch self {
        case .landscape: "16:9"
        case .portrait: "9:16"
        case .square: "1:1"
        }
    }
}
