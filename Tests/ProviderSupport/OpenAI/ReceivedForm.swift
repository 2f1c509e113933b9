/// A form as RFC 7578 has it, read strictly.
package struct ReceivedForm: Sendable {
    package struct File: Sendable {
        package var name: String
        package var contentType: String
        package var bytes: [UInt8]
    }

    /// In order.
    package var fields: [(name: String, value: String)] = []
    package var file: File?

    package subscript(name: String) -> String? { fields.first { $0.name == name }?.value }
    package func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

    struct Malformed: Error { var reason: String }

    init(_ body: [UInt8], contentType: String?) throws {
        guard let contentType, contentType.hasPrefix("multipart/form-data; boundary=") else {
            throw Malformed(reason: "the content type is not multipart/form-data")
        }
        let boundary = contentType.dropFirst("multipart/form-data; boundary=".count)
        guard (1...70).contains(boundary.utf8.count), !boundary.contains("\"") else {
            throw Malformed(reason: "a bad boundary")
        }
        let opening = Array("--\(boundary)\r\n".utf8)
        let separator = Array("\r\n--\(boundary)".utf8)
        guard body.starts(with: opening) else { throw Malformed(reason: "no boundary at the start") }
        var rest = body[opening.count...]
        while true {
            guard let headEnd = Self.find(Array("\r\n\r\n".utf8), in: rest) else {
                throw Malformed(reason: "a part without a head")
            }
            let head = String(decoding: rest[..<headEnd], as: UTF8.self)
            rest = rest[(headEnd + 4)...]
            guard let end = Self.find(separator, in: rest) else { throw Malformed(reason: "a part without an end") }
            try add(head, Array(rest[..<end]))
            rest = rest[(end + separator.count)...]
            if rest.elementsEqual(Array("--\r\n".utf8)) { return }
            guard rest.starts(with: Array("\r\n".utf8)) else { throw Malformed(reason: "something behind a boundary") }
            rest = rest.dropFirst(2)
        }
    }

    private mutating func add(_ head: String, _ content: [UInt8]) throws {
        var disposition: [String: String] = [:]
        var contentType: String?
        for line in head.split(separator: "\r\n") {
            let lower = line.lowercased()
            if lower.hasPrefix("content-type:") {
                contentType = String(line.dropFirst("content-type:".count).drop { $0 == " " })
            }
            guard lower.hasPrefix("content-disposition: form-data") else { continue }
            for item in line.split(separator: ";").dropFirst() {
                let pair = item.split(separator: "=", maxSplits: 1)
                guard pair.count == 2 else { throw Malformed(reason: "a bad disposition") }
                disposition[String(pair[0].drop { $0 == " " })] = String(pair[1].dropFirst().dropLast())
            }
        }
        guard let name = disposition["name"] else { throw Malformed(reason: "a part without a name") }
        guard let fileName = disposition["filename"] else {
            fields.append((name, String(decoding: content, as: UTF8.self)))
            return
        }
        guard name == "file", file == nil, let contentType else { throw Malformed(reason: "an unexpected file") }
        file = File(name: fileName, contentType: contentType, bytes: content)
    }

    private static func find(_ wanted: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        guard let first = wanted.first, bytes.count >= wanted.count else { return nil }
        var index = bytes.startIndex
        let last = bytes.endIndex - wanted.count
        while index <= last {
            if bytes[index] == first, bytes[index..<index + wanted.count].elementsEqual(wanted) { return index }
            index += 1
        }
        return nil
    }
}
