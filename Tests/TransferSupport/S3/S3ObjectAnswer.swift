import Glibc
import Transfer

/// An object, or a range of it, on its way to a client, with whatever is to go wrong.
struct S3ObjectAnswer {
    let object: S3Object
    let settings: S3Server.Settings
    let isHead: Bool

    /// - Returns: whether the connection may be used again, and how many bytes of the body were sent.
    func send(
        _ asked: S3Request.RangeAnswer, fault: S3Fault?, headers: HTTPHeaders, on connection: RawConnection
    ) throws -> (isReusable: Bool, sent: Int64) {
        // A client may also go before anything was sent, which ends this by an error.
        defer { if case .stall(_, let gone)? = fault { gone?.raise() } }
        var headers = headers
        headers["Accept-Ranges"] = "bytes"
        if settings.sendsETags { headers["ETag"] = object.etag.rawValue }
        if settings.sendsLastModified { headers["Last-Modified"] = S3Digest.httpDate(object.modified) }
        headers["Content-Type"] = object.contentType
        if let checksum = object.checksum { headers["x-amz-checksum-crc32c"] = checksum }
        for field in object.metadata.fields { headers[field.name] = field.value }
        var asked = asked
        var shift: Int64 = 0
        switch fault {
        case .ignoreRange?:
            asked = .all
            headers["Accept-Ranges"] = nil
        case .shiftRange(let by)?: shift = by
        default: break
        }
        var range = 0..<object.size
        var status = 200
        switch asked {
        case .all: break
        case .unsatisfiable:
            headers["Content-Range"] = "bytes */\(object.size)"
            try connection.respond(416, headers: headers, body: Array(S3Document.error("InvalidRange", "").utf8))
            return (true, 0)
        case .part(let part):
            status = 206
            range = min(part.lowerBound + shift, part.upperBound)..<part.upperBound
            headers["Content-Range"] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(object.size)"
        }
        var length = Int64(range.count)
        if case .wrongLength(let by)? = fault { length = max(0, length + Int64(by)) }
        headers["Content-Length"] = "\(length)"
        try connection.respond(status, headers: headers)
        if isHead { return (true, 0) }
        return try send(range, length: length, fault, on: connection)
    }

    private func send(
        _ range: Range<Int64>, length: Int64, _ fault: S3Fault?, on connection: RawConnection
    ) throws -> (isReusable: Bool, sent: Int64) {
        var slice: Int64 = 256 << 10
        var end = length
        switch fault {
        case .resetBody(let after)?, .truncate(let after)?, .stall(let after, _)?: end = min(end, Int64(after))
        case .drip(let bytes, _)?: slice = Int64(max(1, bytes))
        default: break
        }
        var sent: Int64 = 0
        while sent < end {
            let count = min(slice, end - sent)
            let start = range.lowerBound + sent
            let real = start..<max(start, min(start + count, range.upperBound))
            var bytes = object.slice(real)
            bytes += repeatElement(0, count: Int(count) - bytes.count)
            try connection.write(bytes)
            sent += count
            if let bytesPerSecond = settings.bytesPerSecond {
                usleep(UInt32(Int(count) * 1_000_000 / bytesPerSecond))
            }
            if case .drip(_, let milliseconds)? = fault, sent < end {
                // A pause that ends when the client goes.
                guard connection.isPeerOpen(waitingMilliseconds: milliseconds) else { return (false, sent) }
            }
        }
        switch fault {
        case .resetBody?:
            // What was sent is to arrive before the reset, which would throw it away.
            _ = connection.isPeerOpen(waitingMilliseconds: 30)
            connection.reset()
            return (false, sent)
        case .truncate?: return (false, sent)
        case .stall?:
            connection.waitForClose()
            return (false, sent)
        default: return (true, sent)
        }
    }
}
