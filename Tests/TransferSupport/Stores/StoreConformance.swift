import ByteIO
package import Transfer

/// What every store must do: each check leaves nothing behind under its prefix.
///
/// ```swift
/// @Test(arguments: StoreConformance.checks) func conformance(_ check: StoreConformance) async throws {
///     try await check.run(store)
/// }
/// ```
package struct StoreConformance: Sendable, CustomStringConvertible {
    package let description: String
    private let body: @Sendable (any ObjectStore, _ prefix: String) async throws -> Void

    /// - Throws: ``Violation``, and what the store throws.
    package func run(_ store: any ObjectStore) async throws {
        let prefix = "conformance-\(UInt64.random(in: .min ... .max))/"
        try await body(store, prefix)
        for object in try await store.list(prefix: prefix, from: nil, limit: 1000).objects {
            try await store.delete(object.key)
        }
    }

    /// A store does something else than it should.
    package struct Violation: Error, CustomStringConvertible {
        package let description: String
    }

    private init(
        _ description: String, _ body: @escaping @Sendable (any ObjectStore, _ prefix: String) async throws -> Void
    ) {
        self.description = description
        self.body = body
    }

    package static let checks: [StoreConformance] = objects + ranges + listings + streams

    // MARK: Means

    private static func require(_ isTrue: Bool, _ what: String) throws {
        guard isTrue else { throw Violation(description: what) }
    }

    private static func require(
        _ code: TransferError.Code, _ what: String, _ body: () async throws -> Void
    ) async throws {
        do { try await body() } catch let error as TransferError {
            return try require(error.code == code, "\(what): \(error.code) instead of \(code): \(error)")
        }
        throw Violation(description: "\(what): no error")
    }

    private static func read(
        _ store: any ObjectStore, _ key: String, range: Range<Int64>? = nil, ifMatch etag: ETag? = nil
    ) async throws -> [UInt8] {
        try await store.read(key, range: range, ifMatch: etag) { content in
            var bytes: [UInt8] = []
            for try await chunk in content.bytes { bytes += chunk }
            try require(Int64(bytes.count) == content.range.upperBound - content.range.lowerBound, "the range's length")
            return bytes
        }
    }

    private static func put(
        _ store: any ObjectStore, _ key: String, _ text: String, options: ObjectOptions = ObjectOptions()
    ) async throws -> ObjectInfo {
        try await store.put(key, Array(text.utf8), options: options)
    }

    private static func pattern(_ count: Int) -> [UInt8] {
        // A block that is copied, of a length that is no power of two: made byte by byte, megabytes would keep a thread
        // of Swift's pool for seconds under a sanitizer.
        let block = (0..<min(count, 65_521)).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count { bytes += block.prefix(count - bytes.count) }
        return bytes
    }

    // MARK: Objects

    private static let objects: [StoreConformance] = [
        StoreConformance("what is put is there") { store, prefix in
            let put = try await put(store, prefix + "a.mp4", "hello", options: ObjectOptions(contentType: "video/mp4"))
            let head = try await store.head(prefix + "a.mp4")
            try require(head.size == 5 && put.size == 5, "its size")
            try require(head.key == prefix + "a.mp4", "its key")
            try require(head.etag != nil && head.etag == put.etag && head.etag?.isWeak == false, "its ETag")
            try require(head.contentType == "video/mp4", "its type")
            try require(abs((head.lastModified ?? 0) - WallClock.now) < 300, "its time")
            try require(try await read(store, prefix + "a.mp4") == Array("hello".utf8), "its bytes")
        },
        StoreConformance("an empty object") { store, prefix in
            _ = try await put(store, prefix + "empty", "")
            try require(try await store.head(prefix + "empty").size == 0, "its size")
            try require(try await read(store, prefix + "empty").isEmpty, "its bytes")
        },
        StoreConformance("keys with all kinds of letters") { store, prefix in
            let names = [
                "a b+c%20d", "é/日本語.mp4", "a(b)=c;d,e&f", "quote'\"`", "~tilde-_.x", "emoji😀", "percent%", "ключ",
                "a?b#c",
                "star*", "deep/er/and/deeper", "plus+plus", " lead and trail ",
            ]
            for name in names { _ = try await put(store, prefix + name, name) }
            for name in names {
                try require(try await read(store, prefix + name) == Array(name.utf8), "the bytes of \(name)")
            }
            let listed = try await store.list(prefix: prefix, from: nil, limit: 1000).objects.map(\.key)
            try require(Set(listed) == Set(names.map { prefix + $0 }), "the listing: \(listed)")
        },
        StoreConformance("an object is replaced as a whole") { store, prefix in
            let old = try await put(store, prefix + "a", "one")
            let new = try await put(store, prefix + "a", "three")
            try require(old.etag != new.etag, "another ETag")
            try require(try await read(store, prefix + "a") == Array("three".utf8), "the new bytes")
        },
        StoreConformance("an object that must not be replaced is not") { store, prefix in
            let options = ObjectOptions(overwrite: false)
            _ = try await put(store, prefix + "a", "one", options: options)
            try await require(.exists, "the second put") {
                _ = try await put(store, prefix + "a", "two", options: options)
            }
            try require(try await read(store, prefix + "a") == Array("one".utf8), "the first bytes")
        },
        StoreConformance("what is not there is not found") { store, prefix in
            try await require(.notFound, "head") { _ = try await store.head(prefix + "none") }
            try await require(.notFound, "read") { _ = try await read(store, prefix + "none") }
            try await require(.notFound, "source") {
                _ = try await store.source(prefix + "none", options: RangeSourceOptions())
            }
        },
        StoreConformance("deleting is done twice without harm") { store, prefix in
            _ = try await put(store, prefix + "d/a", "one")
            try await store.delete(prefix + "d/a")
            try await store.delete(prefix + "d/a")
            try await store.delete(prefix + "never/there")
            try await require(.notFound, "head") { _ = try await store.head(prefix + "d/a") }
        },
        StoreConformance("keys that are none are refused") { store, prefix in
            for key in ["", String(repeating: "x", count: 1025)] {
                try await require(.badRequest, "head") { _ = try await store.head(key) }
                try await require(.badRequest, "delete") { try await store.delete(key) }
                try await require(.badRequest, "put") { _ = try await put(store, key, "x") }
            }
        },
    ]

    // MARK: Ranges

    private static let ranges: [StoreConformance] = [
        StoreConformance("ranges are read") { store, prefix in
            let bytes = pattern(100_000)
            _ = try await store.put(prefix + "a", bytes, options: ObjectOptions())
            for range in [0..<1, 0..<100_000, 99_999..<100_000, 500..<70_000, 99_000..<200_000, 5..<Int64.max] {
                let end = Int(min(range.upperBound, 100_000))
                try require(
                    try await read(store, prefix + "a", range: range) == Array(bytes[Int(range.lowerBound)..<end]),
                    "\(range)")
                let size = try await store.read(prefix + "a", range: range, ifMatch: nil) { $0.info.size }
                try require(size == 100_000, "the size of the whole")
            }
        },
        StoreConformance("ranges without bytes are refused") { store, prefix in
            _ = try await put(store, prefix + "a", "hello")
            for range in [5..<6, 100..<200, 2..<2] as [Range<Int64>] {
                try await require(.badRequest, "\(range)") { _ = try await read(store, prefix + "a", range: range) }
            }
        },
        StoreConformance("a read is pinned by its ETag") { store, prefix in
            let old = try await put(store, prefix + "a", "one")
            try require(
                try await read(store, prefix + "a", range: 1..<3, ifMatch: old.etag) == Array("ne".utf8), "bytes")
            _ = try await put(store, prefix + "a", "two")
            try await require(.changed, "range") {
                _ = try await read(store, prefix + "a", range: 1..<3, ifMatch: old.etag)
            }
            try await require(.changed, "all") { _ = try await read(store, prefix + "a", ifMatch: old.etag) }
        },
        StoreConformance("what the reader throws is thrown") { store, prefix in
            _ = try await put(store, prefix + "a", "one")
            do {
                try await store.read(prefix + "a", range: nil, ifMatch: nil) { _ in throw Violation(description: "mine")
                }
            } catch let error as Violation where error.description == "mine" { return }
            throw Violation(description: "another error")
        },
    ]

    // MARK: Listings

    private static let listings: [StoreConformance] = [
        StoreConformance("a listing is in the order of bytes, page by page") { store, prefix in
            let names = ["a", "a-b", "a/b", "a/c", "a0", "b", "b/", "é", "Z"].filter { !$0.hasSuffix("/") && $0 != "a" }
            for name in names { _ = try await put(store, prefix + name, name) }
            let expected = names.map { prefix + $0 }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            for limit in [1, 2, 3, names.count, 1000] {
                var keys: [String] = []
                var next: String?
                repeat {
                    let page = try await store.list(prefix: prefix, from: next, limit: limit)
                    try require(page.objects.count <= limit, "the page's length")
                    keys += page.objects.map(\.key)
                    next = page.next
                } while next != nil
                try require(keys == expected, "pages of \(limit): \(keys)")
            }
        },
        StoreConformance("a listing says what head says") { store, prefix in
            let put = try await put(store, prefix + "a", "hello")
            let listed = try await store.list(prefix: prefix, from: nil, limit: 10).objects.first
            try require(listed?.size == 5 && listed?.etag == put.etag, "\(String(describing: listed))")
            try require(abs((listed?.lastModified ?? 0) - WallClock.now) < 300, "its time")
        },
        StoreConformance("a prefix ends anywhere") { store, prefix in
            for name in ["ab/c", "abc", "b"] { _ = try await put(store, prefix + name, name) }
            let keys = try await store.list(prefix: prefix + "ab", from: nil, limit: 10).objects.map(\.key)
            try require(keys == [prefix + "ab/c", prefix + "abc"], "\(keys)")
            let none = try await store.list(prefix: prefix + "x", from: nil, limit: 10)
            try require(none.objects.isEmpty && none.next == nil, "nothing")
            try await require(.badRequest, "a page of 0") { _ = try await store.list(prefix: "", from: nil, limit: 0) }
        },
    ]

    // MARK: Sources and sinks

    private static let streams: [StoreConformance] = [
        StoreConformance("a sink's bytes are there when it is finished, and a source reads them") { store, prefix in
            let bytes = pattern(13 << 20)
            let key = prefix + "deep/a.bin"
            let sink = try await store.sink(key, options: ObjectOptions(), upload: UploadOptions(partSize: 5 << 20))
            try await BlockingThread.run {
                for start in stride(from: 0, to: bytes.count, by: 1 << 20) {
                    try bytes[start..<start + 1 << 20].withUnsafeBytes { try sink.write($0) }
                }
            }
            try await require(.notFound, "before the end") { _ = try await store.head(key) }
            try await BlockingThread.run { try sink.finish() }
            let source = try await store.source(key, options: RangeSourceOptions(blockSize: 1 << 20))
            let read = try await BlockingThread.run { try source.readAll(limit: 64 << 20) }
            try require(read == bytes, "the bytes")
        },
        StoreConformance("an aborted sink leaves nothing") { store, prefix in
            let sink = try await store.sink(
                prefix + "a.bin", options: ObjectOptions(), upload: UploadOptions(partSize: 5 << 20))
            let bytes = pattern(11 << 20)
            try await BlockingThread.run {
                try bytes.withUnsafeBytes { try sink.write($0) }
                sink.abort()
            }
            let left = try await store.list(prefix: prefix, from: nil, limit: 10).objects
            try require(left.isEmpty, "\(left)")
            if let store = store as? any MultipartStore {
                let uploads = try await store.listUploads(prefix: prefix)
                try require(uploads.isEmpty, "\(uploads)")
            }
        },
    ]
}
