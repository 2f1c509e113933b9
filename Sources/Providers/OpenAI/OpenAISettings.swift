public import Transfer

/// Where a server is that speaks as OpenAI does, and the key to it.
public struct OpenAISettings: Sendable {
    /// `nil` for a server that asks for none.
    public var key: String?
    /// Up to and with the version.
    public var baseURL: HTTPURL
    /// Whom the account's requests are for, where there is a choice.
    public var organization: String?
    public var project: String?

    public init(key: String?, baseURL: HTTPURL, organization: String? = nil, project: String? = nil) {
        self.key = key
        self.baseURL = baseURL
        self.organization = organization
        self.project = project
    }

    var headers: HTTPHeaders {
        var headers: HTTPHeaders = [:]
        if let key { headers["Authorization"] = "Bearer \(key)" }
        headers["OpenAI-Organization"] = organization
        headers["OpenAI-Project"] = project
        return headers
    }
}
