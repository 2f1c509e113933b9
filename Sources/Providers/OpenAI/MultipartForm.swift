/// A form with a file, as browsers send it. RFC 7578.
struct MultipartForm {
    private(set) var body: [UInt8] = []
    private let boundary: String

    init() {
        // 128 random bits: no file holds them.
        boundary = "kiln-" + (0..<2).map { _ in String(UInt64.random(in: 0 ... .max), radix: 36) }.joined()
    }

    var contentType: String { "multipart/form-data; boundary=\(boundary)" }

    mutating func add(_ name: String, _ value: String) {
        put("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n")
    }

    /// - Parameters:
    ///   - fileName: in ASCII, without quotes.
    mutating func add(_ name: String, fileName: String, contentType: String, _ bytes: [UInt8]) {
        body.reserveCapacity(body.count + bytes.count + 512)
        put("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"; filename=\"\(fileName)\"\r\n")
        put("Content-Type: \(contentType)\r\n\r\n")
        body += bytes
        put("\r\n")
    }

    /// To be called once, after all parts.
    mutating func finish() { put("--\(boundary)--\r\n") }

    private mutating func put(_ text: String) { body += Array(text.utf8) }
}
