import FoundationEssentials
import Locking
import Transfer

/// Answers the requests of all connections. Thread-safe.
struct ObjectServer: Sendable {
    /// Paths below it are the benchmark's own: at once, as fast as they go, and not counted.
    static let control = "/-/"

    let shelf: Locked<ObjectShelf>
    /// From the end of a request to its answer, in nanoseconds.
    let latency: Int64
    let bytesPerSecond: Double

    /// Answers until the client goes.
    func serve(takingOwnershipOf socket: Int32) {
        var connection = ServedConnection(
            takingOwnershipOf: socket, shelf: shelf, bytesPerSecond: bytesPerSecond)
        var isCounted = false
        do {
            while let request = try connection.nextRequest() {
                if request.path.hasPrefix(Self.control) {
                    try answerControl(request, on: &connection)
                    continue
                }
                shelf.withLock {
                    $0.counts.requests += 1
                    if !isCounted { $0.counts.connections += 1 }
                }
                isCounted = true
                try answer(request, on: &connection)
                if request["connection"]?.lowercased() == "close" { return }
            }
        } catch {
            // The client is gone, and the connection with it.
        }
    }

    /// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html
    private func answer(_ request: ServedRequest, on connection: inout ServedConnection) throws {
        let isObject = request.method == "PUT"
        let body = try connection.body(of: request, isObject: isObject)
        SharedClock.sleep(until: SharedClock.now + latency)
        let path = request.path
        switch request.method {
        case "GET", "HEAD":
            guard let object = shelf.withLock({ $0.objects[path] }) else {
                return try connection.answer(404, text: request.method == "HEAD" ? "" : Self.error("NoSuchKey"))
            }
            try send(object, request, on: &connection)
        case "PUT":
            let tag = shelf.withLock { shelf in
                guard let upload = request.value("uploadId"), let number = request.value("partNumber") else {
                    return shelf.put(path, [body]) as String?
                }
                return Int(number).flatMap { shelf.addPart($0, to: upload, body) }
            }
            guard let tag else { return try connection.answer(404, text: Self.error("NoSuchUpload")) }
            try connection.answer(200, ["ETag: \(tag)"])
        case "POST":
            guard let upload = request.value("uploadId") else {
                let id = shelf.withLock { $0.beginUpload() }
                return try connection.answer(
                    200, text: Self.document("InitiateMultipartUploadResult", "<UploadId>\(id)</UploadId>"))
            }
            // All parts that came are listed: these clients send none that they do not want.
            guard let tag = shelf.withLock({ $0.complete(upload, as: path) }) else {
                return try connection.answer(404, text: Self.error("NoSuchUpload"))
            }
            let quoted = tag.replacing("\"", with: "&quot;")
            try connection.answer(200, text: Self.document("CompleteMultipartUploadResult", "<ETag>\(quoted)</ETag>"))
        case "DELETE":
            shelf.withLock { shelf in
                if let upload = request.value("uploadId") { shelf.abort(upload) } else { shelf.objects[path] = nil }
            }
            try connection.answer(204)
        default: try connection.answer(501, text: Self.error("NotImplemented"))
        }
    }

    private func send(
        _ object: ServedObject, _ request: ServedRequest, on connection: inout ServedConnection
    ) throws {
        if let etag = request["if-match"], etag != object.etag {
            return try connection.answer(412, text: Self.error("PreconditionFailed"))
        }
        let size = object.size
        let headers = ["Accept-Ranges: bytes", "ETag: \(object.etag)"]
        if request.method == "HEAD" { return try connection.answer(200, headers, length: size) }
        guard let range = request.range(of: size) else {
            try connection.answer(200, headers, length: size)
            return try connection.send(object, 0..<size)
        }
        let place = "Content-Range: bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"
        try connection.answer(206, headers + [place], length: range.count)
        try connection.send(object, range)
    }

    private func answerControl(_ request: ServedRequest, on connection: inout ServedConnection) throws {
        let name = request.path.dropFirst(Self.control.count)
        switch name {
        case "counts":
            let counts = shelf.withLock { $0.countsNow }
            try connection.answer(200, text: String(decoding: try JSONEncoder().encode(counts), as: UTF8.self))
        case "forget":
            shelf.withLock { $0.forgetCounts() }
            try connection.answer(200)
        default:
            guard let object = shelf.withLock({ $0.objects["/" + name] }) else { return try connection.answer(404) }
            try connection.answer(200, length: object.size)
            try connection.sendAtOnce(object)
        }
    }

    private static func document(_ name: String, _ content: String) -> String {
        #"<?xml version="1.0" encoding="UTF-8"?>"# + "<\(name)>\(content)</\(name)>"
    }

    private static func error(_ code: String) -> String { document("Error", "<Code>\(code)</Code>") }
}
