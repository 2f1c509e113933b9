import MediaKit
import Transfer

/// Where objects are, as the environment says it.
///
/// The one reader of these names: what a file of settings says comes here as if the environment said it.
///
/// | variable | meaning |
/// |---|---|
/// | `R2_ENDPOINT`, `R2_ACCESS_KEY_ID`, `R2_SECRET_ACCESS_KEY` | Cloudflare R2, or any S3 service by path |
/// | `R2_BUCKET_NAME` | the bucket that `store://` means |
/// | `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL` | an S3 service; none for AWS |
/// | `AWS_REGION`, `AWS_DEFAULT_REGION` | default us-east-1 |
/// | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` | else the container's or machine's role |
/// | `AWS_CA_BUNDLE` | certificates that are trusted instead of the system's |
/// | `KILN_STORE` | what `store://` means: `s3://bucket`, or the absolute path of a folder |
///
/// With `R2_ENDPOINT`, `s3://` is there; else where the `AWS_` variables say.
struct StorageSettings: Sendable {
    enum DefaultStore: Sendable, Equatable {
        case bucket(String)
        case folder(String)
    }

    var s3: S3Settings
    /// `nil` for what the AWS variables, the container or the machine give.
    var credentials: StaticCredentials?
    var defaultStore: DefaultStore?
    /// Makes the presigned URLs of a folder as the default store, for which the API answers; `nil` (default) for none.
    var folderSigner: LocalSigner?
    var certificateAuthorities: String?
    private let environment: [String: String]?

    /// A variable that is missing or wrong.
    struct Problem: Sendable, Equatable {
        /// The variable's.
        var name: String
        /// Goes on behind the name.
        var message: String
    }

    /// Without any variable.
    static var unset: StorageSettings { read([:]).settings }

    /// - Parameter environment: variables by name; `nil` (default) for those of the process.
    /// - Throws: ``MediaError`` with code `configuration` that names all that is wrong.
    init(environment: [String: String]? = nil) throws(MediaError) {
        let (settings, problems) = Self.read(environment)
        guard problems.isEmpty else {
            throw MediaError(
                .configuration, problems.map { "\($0.name) \($0.message)" }.joined(separator: "; "),
                hint: "set them in the environment")
        }
        self = settings
    }

    /// Reads what can be read, and tells what cannot.
    ///
    /// - Parameter environment: variables by name; `nil` for those of the process.
    static func read(_ environment: [String: String]?) -> (settings: StorageSettings, problems: [Problem]) {
        let variables = EnvironmentVariables(environment)
        var settings = StorageSettings(s3: S3Settings(region: "us-east-1"), environment: environment)
        var problems: [Problem] = []
        func value(_ names: String...) -> (name: String, text: String)? {
            for name in names {
                if let text = variables[name] { return (name, text) }
            }
            return nil
        }
        func url(_ value: (name: String, text: String)?) -> HTTPURL? {
            guard let value else { return nil }
            do { return try HTTPURL(value.text) } catch {
                problems.append(Problem(name: value.name, message: "is no http or https URL"))
                return nil
            }
        }
        if let endpoint = value("R2_ENDPOINT") {
            settings.s3 = S3Settings(endpoint: url(endpoint), region: "auto", addressing: .path)
            let id = value("R2_ACCESS_KEY_ID")?.text
            let secret = value("R2_SECRET_ACCESS_KEY")?.text
            if id == nil { problems.append(Problem(name: "R2_ACCESS_KEY_ID", message: "is not set")) }
            if secret == nil { problems.append(Problem(name: "R2_SECRET_ACCESS_KEY", message: "is not set")) }
            settings.credentials = StaticCredentials(accessKeyID: id ?? "", secretAccessKey: secret ?? "")
        } else {
            settings.s3 = S3Settings(
                endpoint: url(value("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")),
                region: value("AWS_REGION", "AWS_DEFAULT_REGION")?.text ?? "us-east-1")
        }
        if let store = value("KILN_STORE")?.text {
            if store.hasPrefix("/") {
                settings.defaultStore = .folder(store)
            } else if store.hasPrefix("s3://"), !store.dropFirst(5).isEmpty, !store.dropFirst(5).contains("/") {
                settings.defaultStore = .bucket(String(store.dropFirst(5)))
            } else {
                problems.append(
                    Problem(
                        name: "KILN_STORE", message: "is neither s3://bucket nor the absolute path of a folder"))
            }
        } else if let bucket = value("R2_BUCKET_NAME")?.text {
            settings.defaultStore = .bucket(bucket)
        }
        settings.certificateAuthorities = value("AWS_CA_BUNDLE")?.text
        return (settings, problems)
    }

    private init(s3: S3Settings, environment: [String: String]?) {
        self.s3 = s3
        self.environment = environment
    }

    /// - Parameters:
    ///   - fileRoots: folders that `file://` may name things below.
    ///   - web: whether URLs of the web go through the guard.
    ///   - guarding: where they may lead if they do, and redirects in any case.
    /// - Throws: ``TransferError``.
    func stores(
        fileRoots: [String] = [], web: HTTPRequest.Destination, guarding: AddressGuard = AddressGuard()
    ) throws(TransferError) -> Stores {
        let client = try HTTPClient(
            HTTPConfiguration(addressGuard: guarding, certificateAuthorities: certificateAuthorities))
        let provider: any CredentialsProvider =
            credentials ?? CredentialsChain.standard(client: client, environment: environment)
        // One for all buckets, so that a role's credentials are fetched once.
        let cached = CachedCredentials(provider)
        let store: (any ObjectStore)?
        switch defaultStore {
        case .bucket(let name): store = S3Store(bucket: name, settings: s3, credentials: cached, client: client)
        case .folder(let path): store = try LocalStore(root: path, signer: folderSigner)
        case nil: store = nil
        }
        return Stores(
            client: client, defaultStore: store, s3: s3, credentials: cached, fileRoots: fileRoots, web: web)
    }
}
