public import ByteIO
import Glibc

/// A folder as a store: the object `a/b.mp4` is the file `b.mp4` in the folder `a` below it.
///
/// ```swift
/// let store = try LocalStore(root: "/srv/media", signer: LocalSigner(secret: secret, base: HTTPURL("https://kiln.example/files")))
/// ```
/// A file appears by a rename when it is whole. No key leads out of the folder, by dots or by symbolic links; keys that
/// name no file ("a//b", "../b", "a/") are `badRequest`. Of ``ObjectOptions`` only `overwrite` counts: a folder keeps
/// bytes, and what they are is told by the name's ending.
///
/// Thread-safe. Calls of the file system are made on threads of their own.
public struct LocalStore: ObjectStore {
    /// Absolute.
    public let root: String
    let folder: ConfinedFolder
    private let signer: LocalSigner?

    /// - Parameters:
    ///   - root: an absolute path, of a folder that exists by the time it is used.
    ///   - signer: makes presigned URLs; `nil` (default) for none.
    /// - Throws: ``TransferError`` with code `badURL` for a path that is not absolute.
    public init(root: String, signer: LocalSigner? = nil) throws(TransferError) {
        guard root.hasPrefix("/"), !root.utf8.contains(0) else {
            throw TransferError(.badURL, "the folder of a store is an absolute path", mayHaveTakenEffect: false)
        }
        var path = root
        while path.hasSuffix("/"), path != "/" { path.removeLast() }
        self.root = path
        self.signer = signer
        folder = ConfinedFolder(path: path)
    }

    public var name: String { "file://\(root)" }

    // MARK: Objects

    public func head(_ key: String) async throws -> ObjectInfo {
        try await OwnThread.run { try open(key).info(key) }
    }

    public func read<R: Sendable>(
        _ key: String, range: Range<Int64>?, ifMatch etag: ETag?,
        _ body: @Sendable (ObjectContent) async throws -> R
    ) async throws -> R {
        let (file, info) = try await OwnThread.run {
            let file = try open(key)
            return (file, try file.info(key))
        }
        if let etag, info.etag != etag { throw LocalBytes.changed(self, key) }
        if let range {
            guard range.lowerBound >= 0, !range.isEmpty, range.lowerBound < info.size else {
                throw TransferError(
                    .badRequest, "the range begins at the end of \(name)/\(key) or behind it", mayHaveTakenEffect: false
                )
            }
        }
        let extent = (range ?? 0..<info.size).clamped(to: 0..<info.size)
        let bytes = LocalBytes(file: file, range: extent, info: info, store: self)
        return try await body(ObjectContent(info: info, range: extent, bytes: bytes))
    }

    public func put(_ key: String, _ bytes: [UInt8], options: ObjectOptions) async throws -> ObjectInfo {
        try await OwnThread.run {
            let sink = try create(key, overwrite: options.overwrite)
            do {
                try TransferError.ofFiles {
                    try bytes.withUnsafeBytes { try sink.write($0) }
                    try sink.finish()
                }
            } catch {
                sink.abort()
                throw error
            }
            return try open(key).info(key)
        }
    }

    public func delete(_ key: String) async throws {
        try await OwnThread.run {
            // The link is removed, not what it leads to.
            let path = try path(key)
            guard let parent = try folder.existingFolder(Self.parent(of: path)) else { return }
            let target = parent + path[(path.lastIndex(of: "/") ?? path.startIndex)...]
            if unlink(target) != 0, ![ENOENT, ENOTDIR, EISDIR, EPERM].contains(errno) {
                throw TransferError.system("remove", target)
            }
            removeEmptyFolders(from: Self.parent(of: path))
        }
    }

    // MARK: Sources and sinks

    public func source(_ key: String, options: RangeSourceOptions = RangeSourceOptions()) async throws -> any ByteSource
    {
        try await OwnThread.run {
            guard let path = try folder.existing(path(key)) else { throw missing(key) }
            return try TransferError.ofFiles { try FileSource(path: path) }
        }
    }

    public func sink(
        _ key: String, options: ObjectOptions = ObjectOptions(), upload: UploadOptions = UploadOptions()
    ) async throws -> any ByteSink {
        try await OwnThread.run { try create(key, overwrite: options.overwrite) }
    }

    // MARK: URLs

    /// - Throws: ``TransferError`` with code `unsupported` without a signer.
    public func presign(
        _ access: PresignedAccess, _ key: String, expiresIn: Duration
    ) async throws -> PresignedURL {
        guard let signer else {
            throw TransferError(
                .unsupported, "this folder has no URLs", hint: "give its store a signer", mayHaveTakenEffect: false)
        }
        _ = try path(key)
        return try signer.presign(access, key, expiresIn: expiresIn, now: WallClock.now)
    }

    /// What a request with a presigned URL may do: for the server behind it.
    ///
    /// - Parameters:
    ///   - url: as it was asked for.
    ///   - now: seconds since 1970.
    /// - Throws: ``TransferError`` with code `accessDenied` if it was not signed by this store's signer, has expired, or
    ///   is used for something else.
    public func verify(
        _ method: HTTPMethod, _ url: HTTPURL, headers: HTTPHeaders, now: Double
    ) throws(TransferError) -> LocalSigner.Permit {
        guard let signer else { throw LocalSigner.denied("this folder has no URLs") }
        return try signer.verify(method, url, headers: headers, now: now)
    }

    // MARK: Paths

    /// Where a key's file is, if nothing on the way is a link.
    func path(_ key: String) throws(TransferError) -> String {
        try S3Address.validate(key)
        for segment in key.split(separator: "/", omittingEmptySubsequences: false) {
            guard !segment.isEmpty, segment != ".", segment != "..", segment.utf8.count <= 255,
                !segment.utf8.contains(0), !Self.isPartial(segment)
            else {
                throw TransferError(
                    .badRequest, "a folder cannot hold this key", hint: "use names between single slashes",
                    mayHaveTakenEffect: false)
            }
        }
        return root == "/" ? "/\(key)" : "\(root)/\(key)"
    }

    /// The names under which `FileSink` keeps what is not whole yet.
    static func isPartial(_ name: some StringProtocol) -> Bool { name.hasPrefix(".") && name.hasSuffix(".partial") }

    private static func parent(of path: String) -> String {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private func missing(_ key: String) -> TransferError {
        TransferError(.notFound, "there is no \(name)/\(key)", isRetryable: false)
    }

    func open(_ key: String) throws(TransferError) -> LocalFile {
        guard let path = try folder.existing(path(key)), let file = try LocalFile(path) else { throw missing(key) }
        return file
    }

    /// A sink for a key, whose folders are made.
    func create(_ key: String, overwrite: Bool) throws -> FileSink {
        let path = try path(key)
        _ = try folder.resolved()
        var attempt = 1
        while true {
            do {
                try makeFolders(for: path)
                let target = try folder.new(path)
                return try TransferError.ofFiles { try FileSink(path: target, overwrite: overwrite) }
            } catch let error as TransferError where error.code == .notFound && attempt < 10 {
                // Somebody has removed a folder that was empty for a moment.
                attempt += 1
            }
        }
    }

    private func makeFolders(for path: String) throws(TransferError) {
        var current = root
        let folders = path.dropFirst(root == "/" ? 1 : root.count + 1).split(separator: "/").dropLast()
        for name in folders {
            current += current == "/" ? "\(name)" : "/\(name)"
            // A link in the way must not have folders made elsewhere.
            if try folder.existing(current) != nil { continue }
            if mkdir(current, 0o777) != 0, errno != EEXIST { throw TransferError.system("create the folder", current) }
        }
    }

    private func removeEmptyFolders(from path: String) {
        var path = path
        while path.utf8.count > root.utf8.count, rmdir(path) == 0 { path = Self.parent(of: path) }
    }
}

/// A file's bytes, read on threads of their own.
struct LocalBytes: AsyncSequence, Sendable {
    typealias Element = [UInt8]
    let file: LocalFile
    let range: Range<Int64>
    let info: ObjectInfo
    let store: LocalStore

    struct AsyncIterator: AsyncIteratorProtocol, Sendable {
        let bytes: LocalBytes
        var position: Int64

        mutating func next() async throws -> [UInt8]? {
            let (position, end) = (position, bytes.range.upperBound)
            guard position < end else { return nil }
            try Task.checkCancellation()
            let chunk = try await OwnThread.run { [bytes] in
                let chunk = try bytes.file.read(Int(Swift.min(256 << 10, end - position)), at: position)
                // Another program may write into the file, which this store never does.
                let isLast = chunk.isEmpty || position + Int64(chunk.count) == end
                guard try !isLast || bytes.file.info(bytes.info.key).etag == bytes.info.etag else {
                    throw LocalBytes.changed(bytes.store, bytes.info.key)
                }
                return chunk
            }
            guard !chunk.isEmpty else { throw LocalBytes.changed(bytes.store, bytes.info.key) }
            self.position += Int64(chunk.count)
            return chunk
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(bytes: self, position: range.lowerBound) }

    static func changed(_ store: LocalStore, _ key: String) -> TransferError {
        TransferError(.changed, "\(store.name)/\(key) was replaced since it was opened", isRetryable: false)
    }
}
