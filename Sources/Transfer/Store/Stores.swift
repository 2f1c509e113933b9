public import ByteIO
import Locking

/// All that locations may mean in a program: its S3 service, its default store, its folders.
///
/// ```swift
/// let stores = Stores(client: client, s3: settings, credentials: CredentialsChain.standard(client: client))
/// let source = try await stores.source(for: try ObjectLocation("s3://media/in/a.mp4"))
/// ```
/// What is not configured is `badURL`. URLs of the web go through the client's guard unless it is told otherwise; S3 does not.
///
/// Thread-safe.
public struct Stores: Sendable {
    private let client: HTTPClient
    private let defaultStore: (any ObjectStore)?
    private let s3: S3Settings?
    private let credentials: (any CredentialsProvider)?
    private let fileRoots: [ConfinedFolder]
    private let web: HTTPRequest.Destination
    /// One for each bucket, so that what it has learned is not learned again.
    private let buckets = Locked<[String: S3Store]>([:])

    /// - Parameters:
    ///   - defaultStore: what `store://` means; `nil` (default) for nothing.
    ///   - s3: where the buckets of `s3://` are; `nil` (default) for nowhere.
    ///   - credentials: for `s3`.
    ///   - fileRoots: absolute paths of the folders that `file://` may name things below. Default none.
    ///   - web: whether URLs of the web go through the client's guard (default), or come from somebody who may reach
    ///     whatever this machine can, such as the person at its console.
    public init(
        client: HTTPClient, defaultStore: (any ObjectStore)? = nil, s3: S3Settings? = nil,
        credentials: (any CredentialsProvider)? = nil, fileRoots: [String] = [],
        web: HTTPRequest.Destination = .guarded
    ) {
        self.client = client
        self.defaultStore = defaultStore
        self.s3 = s3
        self.credentials = credentials.map { $0 as? CachedCredentials ?? CachedCredentials($0) }
        self.web = web
        self.fileRoots = fileRoots.map { ConfinedFolder(path: $0) }
    }

    /// The store of a location, and the key in it; `nil` for files and URLs of the web.
    ///
    /// - Throws: ``TransferError`` with code `badURL` for one that is not configured.
    public func store(for location: ObjectLocation) throws(TransferError) -> (store: any ObjectStore, key: String)? {
        switch location {
        case .bucket(let name, let key): return (try bucket(name), key)
        case .store(let key):
            guard let defaultStore else { throw Self.notConfigured("there is no default store for store://") }
            return (defaultStore, key)
        case .file, .web: return nil
        }
    }

    /// What `store://` means, where that is a folder: for the server behind its presigned URLs.
    public var defaultFolder: LocalStore? { defaultStore as? LocalStore }

    /// The store that calls itself so, as in an entry of an ``UploadLedger``; `nil` if none does.
    public func store(named name: String) -> (any ObjectStore)? {
        if let defaultStore, defaultStore.name == name { return defaultStore }
        guard name.hasPrefix("s3://"), S3Address.isBucket(name.dropFirst(5)) else { return nil }
        return try? bucket(String(name.dropFirst(5)))
    }

    /// A source that reads what is there.
    public func source(
        for location: ObjectLocation, options: RangeSourceOptions = RangeSourceOptions()
    ) async throws -> any ByteSource {
        if let (store, key) = try store(for: location) { return try await store.source(key, options: options) }
        switch location {
        case .web(let url):
            return try await RangeSource(WebObject(client, HTTPRequest(.get, url, destination: web)), options: options)
        case .file(let path):
            return try await OwnThread.run {
                guard let resolved = try confined(path, { folder in try folder.existing(path) }) else {
                    throw TransferError(.notFound, "there is no \(location)", isRetryable: false)
                }
                return try TransferError.ofFiles { try FileSource(path: resolved) }
            }
        case .bucket, .store: throw Self.notConfigured("there is no store for \(location)")
        }
    }

    /// A sink whose bytes are there when it is finished.
    public func sink(
        for location: ObjectLocation, options: ObjectOptions = ObjectOptions(), upload: UploadOptions = UploadOptions()
    ) async throws -> any ByteSink {
        if let (store, key) = try store(for: location) {
            return try await store.sink(key, options: options, upload: upload)
        }
        switch location {
        case .web(let url): return WebSink(client, url, options: options, destination: web)
        case .file(let path):
            return try await OwnThread.run {
                guard let resolved = try confined(path, { folder in try folder.new(path) }) else {
                    throw TransferError(.notFound, "there is no \(location)", isRetryable: false)
                }
                return try TransferError.ofFiles { try FileSink(path: resolved, overwrite: options.overwrite) }
            }
        case .bucket, .store: throw Self.notConfigured("there is no store for \(location)")
        }
    }

    private func bucket(_ name: String) throws(TransferError) -> S3Store {
        guard let s3, let credentials else { throw Self.notConfigured("there is no S3 service for s3://") }
        return buckets.withLock { buckets in
            if let store = buckets[name] { return store }
            let store = S3Store(bucket: name, settings: s3, credentials: credentials, client: client)
            // Names come from jobs, and could be any number of them.
            if buckets.count >= 256 { buckets.removeAll() }
            buckets[name] = store
            return store
        }
    }

    /// What the first folder says that allows the path.
    private func confined(
        _ path: String, _ look: (ConfinedFolder) throws -> String?
    ) throws -> String? {
        guard !fileRoots.isEmpty else { throw Self.notConfigured("no folder is open to file://") }
        var refusal: TransferError?
        for root in fileRoots {
            do { return try look(root) } catch let error as TransferError where error.code == .accessDenied {
                refusal = error
            }
        }
        if fileRoots.count > 1, refusal != nil {
            refusal = TransferError(
                .accessDenied, "the path is not below one of the folders that are open to file://", isRetryable: false)
        }
        if let refusal { throw refusal }
        return nil
    }

    private static func notConfigured(_ message: String) -> TransferError {
        TransferError(.badURL, message, hint: "configure one", mayHaveTakenEffect: false)
    }
}
