import Glibc

/// Credentials of the variables `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, of temporary ones,
/// `AWS_SESSION_TOKEN`.
public struct EnvironmentCredentials: CredentialsProvider {
    public var name: String { "environment" }
    private let variables: EnvironmentVariables

    /// - Parameter environment: variables by name; `nil` (default) for those of the process.
    public init(_ environment: [String: String]? = nil) { variables = EnvironmentVariables(environment) }

    public func credentials() throws -> Credentials {
        guard let id = variables["AWS_ACCESS_KEY_ID"], let secret = variables["AWS_SECRET_ACCESS_KEY"] else {
            throw TransferError.noCredentials(
                "the environment has no credentials", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        }
        return Credentials(
            accessKeyID: id, secretAccessKey: secret, sessionToken: variables["AWS_SESSION_TOKEN"])
    }
}

/// Variables of the process, or of a test.
package struct EnvironmentVariables: Sendable {
    private let given: [String: String]?

    /// - Parameter given: values by name; `nil` for those of the process.
    package init(_ given: [String: String]?) { self.given = given }

    /// `nil` where it is not set, or empty.
    package subscript(name: String) -> String? {
        let value = if let given { given[name] } else { getenv(name).map { String(cString: $0) } }
        return value?.isEmpty == false ? value : nil
    }
}

extension TransferError {
    /// There are none to be had here, and it is no failure: another provider may be asked.
    static func noCredentials(_ message: String, _ hint: String) -> TransferError {
        TransferError(.credentials, message, hint: hint, isRetryable: false, mayHaveTakenEffect: false)
    }
}
