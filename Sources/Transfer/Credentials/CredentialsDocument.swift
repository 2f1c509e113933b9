import FoundationEssentials

/// The JSON in which metadata services hand out credentials.
/// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
struct CredentialsDocument: Decodable {
    /// "Success", where it is said at all.
    var code: String?
    var accessKeyID: String?
    var secretAccessKey: String?
    var token: String?
    var expiration: String?

    enum CodingKeys: String, CodingKey {
        case code = "Code"
        case accessKeyID = "AccessKeyId"
        case secretAccessKey = "SecretAccessKey"
        case token = "Token"
        case expiration = "Expiration"
    }

    /// Reads an answer of `provider`'s.
    ///
    /// - Throws: ``TransferError`` with code `credentials`.
    static func credentials(in reply: HTTPReply, of provider: String) throws(TransferError) -> Credentials {
        guard let document = try? JSONDecoder().decode(CredentialsDocument.self, from: Data(reply.body)),
            document.code ?? "Success" == "Success", let id = document.accessKeyID, !id.isEmpty,
            let secret = document.secretAccessKey, !secret.isEmpty, let token = document.token,
            let expiration = document.expiration.flatMap(AmazonDate.seconds)
        else {
            throw TransferError(
                .credentials, "the answer of the \(provider) holds no credentials",
                hint: "check the role that is attached", status: reply.status, isRetryable: true)
        }
        return Credentials(accessKeyID: id, secretAccessKey: secret, sessionToken: token, expires: expiration)
    }
}
