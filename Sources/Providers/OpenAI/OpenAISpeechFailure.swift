import FoundationEssentials
import Transfer

/// What an error of a speech service means.
struct OpenAISpeechFailure {
    /// For people; it may repeat anything.
    private var message: String?
    private var kinds: [String] = []
    private var parameter: String?

    /// Reads `{"error": {…}}`, `{"error": "…"}`, `{"detail": …}` and plain text.
    init(_ body: [UInt8]) {
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(body)) else {
            if body.first != UInt8(ascii: "<") { message = String(decoding: body.prefix(1000), as: UTF8.self) }
            return
        }
        message = document.error?.message ?? document.detail?.text
        kinds = [document.error?.code, document.error?.type].compactMap(\.self)
        parameter = document.error?.param ?? document.detail?.parameter
    }

    /// The account has no money or quota left: waiting does not mend it.
    var isQuota: Bool { kinds.contains { $0 == "insufficient_quota" || $0 == "billing_hard_limit_reached" } }

    private func mentions(_ words: String...) -> Bool {
        let text = [message, parameter].compactMap(\.self).joined(separator: " ").lowercased()
        return words.contains { text.contains($0) }
    }

    /// The server does not know the form that was asked for.
    var isAboutForm: Bool { mentions("response_format", "verbose_json", "granularit", "diarized_json") }

    /// The chunk is longer than the model takes.
    var isAboutLength: Bool {
        mentions("longer than", "too long", "too large", "maximum duration", "maximum content size")
            || mentions("duration") && mentions("exceed", "maximum", "limit")
    }

    /// Called before it is decided on a retry.
    static func classify(_ error: inout TransferError) {
        guard let status = error.status else { return }
        if error.headers["x-should-retry"] == nil, status == 408 || status == 409 || status >= 500 {
            error.isRetryable = true
        }
        if OpenAISpeechFailure(error.body).isQuota { error.isRetryable = false }
    }

    /// - Parameter secret: what is never to be shown.
    static func error(_ error: TransferError, secret: String?) -> any Error {
        guard let status = error.status else {
            if error.code == .cancelled { return CancellationError() }
            let code: ProviderError.Code =
                switch error.code {
                case .badURL, .badRequest, .forbiddenAddress, .tls: .configuration
                case .tooLarge, .badResponse: .badAnswer
                case .cannotResolve, .cannotConnect, .timeout, .connectionLost: .unavailable
                default: .internal
                }
            return ProviderError(
                code, error.message, provider: "openai", hint: error.hint, retryAfter: error.retryAfter,
                isRetryable: error.isRetryable, cause: error)
        }
        let failure = OpenAISpeechFailure(error.body)
        let code: ProviderError.Code
        var hint: String?
        switch status {
        case _ where failure.isQuota || status == 402:
            (code, hint) = (.quota, "add credit to the account, or raise its limit")
        case 401, 403: (code, hint) = (.configuration, "check OPENAI_API_KEY")
        case 404: (code, hint) = (.notFound, "check the model's name and OPENAI_BASE_URL")
        case 413: code = .tooLarge
        case 400..<500 where status != 429 && failure.isAboutLength: code = .tooLarge
        case 429: (code, hint) = (.throttled, "lower KILN_SPEECH_REQUESTS if it happens often")
        case 408, 409, 500...: code = .unavailable
        default: code = .badRequest
        }
        var message = "the service answered \(status)"
        // What it says of a key may repeat a part of it.
        if status != 401, status != 403, let said = failure.shown(secret) { message += ": \(said)" }
        return ProviderError(
            code, message, provider: "openai", hint: hint, status: status,
            requestID: error.headers["x-request-id"].flatMap(requestID), retryAfter: error.retryAfter,
            isRetryable: [.quota, .tooLarge, .configuration].contains(code) ? false : error.isRetryable, cause: error)
    }

    /// One line of what it says.
    private func shown(_ secret: String?) -> String? {
        guard let message = message?.trimmed, !message.isEmpty else { return nil }
        if let secret, !secret.isEmpty, message.contains(secret) { return nil }
        return String(message.map { $0.isWhitespace || $0.isNewline ? " " : $0 }.prefix(300))
    }

    /// A name that is fit to be shown.
    static func requestID(_ text: String) -> String? {
        text.utf8.count <= 128 && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } ? text : nil
    }

    private struct Document: Decodable {
        struct Fields: Decodable {
            var message: String?
            var type: String?
            var code: String?
            var param: String?

            enum CodingKeys: String, CodingKey { case message, type, code, param }

            init(from decoder: any Decoder) throws {
                if let text = try? decoder.singleValueContainer().decode(String.self) {
                    message = text
                    return
                }
                let values = try decoder.container(keyedBy: CodingKeys.self)
                message = try? values.decodeIfPresent(String.self, forKey: .message)
                type = try? values.decodeIfPresent(String.self, forKey: .type)
                // Some have a number here.
                code = try? values.decodeIfPresent(String.self, forKey: .code)
                param = try? values.decodeIfPresent(String.self, forKey: .param)
            }
        }

        /// FastAPI: a text, or a list of what is wrong with the form.
        struct Detail: Decodable {
            struct Item: Decodable { var msg: String? }
            var text: String?
            var parameter: String?

            init(from decoder: any Decoder) throws {
                let value = try decoder.singleValueContainer()
                text = (try? value.decode(String.self)) ?? (try? value.decode([Item].self))?.first?.msg
            }
        }

        var error: Fields?
        var detail: Detail?
    }
}
