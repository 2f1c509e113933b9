/// An object, in the pieces in which it came.
struct ServedObject: Sendable {
    var regions: [ByteRegion]
    /// With quotes.
    var etag: String

    var size: Int { regions.reduce(0) { $0 + $1.count } }
}

/// What a server holds, and what it counts.
struct ObjectShelf: Sendable {
    /// By path: "/bucket/key".
    var objects: [Substring: ServedObject] = [:]
    var counts = ServerCounts()
    /// The server's CPU time when the counting began.
    private var cpuBefore = 0.0
    /// Parts by number, by upload.
    private var uploads: [Substring: [Int: ByteRegion]] = [:]
    private var lastNumber = 0

    /// An ETag for bytes that came, a number: digests would be paid for with the cores that are measured.
    mutating func newTag() -> String {
        lastNumber += 1
        return "\"\(lastNumber)\""
    }

    mutating func put(_ path: Substring, _ regions: [ByteRegion]) -> String {
        let object = ServedObject(regions: regions, etag: newTag())
        objects[path] = object
        return object.etag
    }

    mutating func beginUpload() -> Substring {
        lastNumber += 1
        let id = Substring("\(lastNumber)")
        uploads[id] = [:]
        return id
    }

    /// - Returns: the part's ETag; `nil` if there is no such upload.
    mutating func addPart(_ number: Int, to upload: Substring, _ region: ByteRegion) -> String? {
        guard uploads[upload] != nil else { return nil }
        uploads[upload]?[number] = region
        return newTag()
    }

    /// - Returns: the object's ETag; `nil` if there is no such upload.
    mutating func complete(_ upload: Substring, as path: Substring) -> String? {
        guard let parts = uploads.removeValue(forKey: upload) else { return nil }
        return put(path, parts.sorted { $0.key < $1.key }.map(\.value))
    }

    mutating func abort(_ upload: Substring) { uploads[upload] = nil }

    // MARK: Counting

    var countsNow: ServerCounts {
        var now = counts
        now.cpuSeconds = ServerCounts.cpuSecondsOfProcess - cpuBefore
        return now
    }

    mutating func forgetCounts() {
        counts = ServerCounts()
        cpuBefore = ServerCounts.cpuSecondsOfProcess
    }
}
