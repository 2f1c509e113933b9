import Crypto
import Foundation
import Locking
package import Transfer
import TransferTestSupport

/// Twilio's side of recordings: their media and metadata, and the webhooks that announce them.
///
/// It is strict: what Twilio would refuse is refused, and kept in `refusals`. Thread-safe.
package final class TwilioStandIn: Sendable {
    package static let account = "AC" + String(repeating: "0123456789abcdef", count: 2)
    package static let token = "a1b2c3d4e5f60718293a4b5c6d7e8f90"

    /// What it has of a recording.
    package struct Recording: Sendable {
        package enum Fault: Sendable {
            /// The media lies at another host.
            case redirect(String)
            /// An error that says that it is a success.
            case errorPage
            /// The connection ends amid the body, so many times.
            case cut(Int)
            /// The first request for media gets half of it, and waits for the rest.
            case hold(ThreadSignal)
        }

        package var wav: [UInt8]?
        package var mp3: [UInt8]?
        /// Whether `RequestedChannels=2` is to be had.
        package var isDual: Bool
        /// As the metadata has it; `nil` for none.
        package var status: String?
        package var errorCode: Int?
        /// How many requests for media find nothing yet.
        package var misses: Int
        package var fault: Fault?

        package init(
            wav: [UInt8]? = nil, mp3: [UInt8]? = nil, isDual: Bool = true, status: String? = "completed",
            errorCode: Int? = nil, misses: Int = 0, fault: Fault? = nil
        ) {
            (self.wav, self.mp3, self.isDual, self.status) = (wav, mp3, isDual, status)
            (self.errorCode, self.misses, self.fault) = (errorCode, misses, fault)
        }
    }

    private struct State {
        var recordings: [String: Recording] = [:]
        var refusals: [String] = []
        var served = 0
    }

    private let server: RawServer
    private let state: Locked<State>

    package init() throws {
        let state = Locked(State())
        self.state = state
        server = try RawServer { connection in
            while let request = try connection.readHead() {
                guard try TwilioStandIn.answer(request, state, connection) else { return }
            }
        }
    }

    /// "http://127.0.0.1:4711"
    package var origin: String { String(server.url("/").dropLast()) }
    package func url(of sid: String, suffix: String = "") -> String {
        origin + "/2010-04-01/Accounts/\(Self.account)/Recordings/\(sid)\(suffix)"
    }

    package subscript(sid: String) -> Recording? {
        get { state.withLock { $0.recordings[sid] } }
        set { state.withLock { $0.recordings[sid] = newValue } }
    }

    /// Requests, as "GET /path?query", without the part that is the same for all.
    package var requests: [String] {
        server.requests.map { request in
            "\(request.method) "
                + request.target.replacing("/2010-04-01/Accounts/\(Self.account)/Recordings/", with: "")
        }
    }
    /// What was wrong with requests.
    package var refusals: [String] { state.withLock { $0.refusals } }
    /// How many recordings were sent whole.
    package var served: Int { state.withLock { $0.served } }

    /// A SID of a recording.
    package static func recordingSid() -> String { sid("RE") }
    package static func callSid() -> String { sid("CA") }

    private static func sid(_ prefix: String) -> String {
        prefix + UUID().uuidString.lowercased().replacing("-", with: "")
    }

    // MARK: Webhooks

    /// A form as Twilio sends it, and its signature.
    package static func webhook(
        _ fields: [(name: String, value: String)], to url: String, token: String = TwilioStandIn.token
    ) -> (body: String, headers: HTTPHeaders) {
        let body = fields.map { "\(encoded($0.name))=\(encoded($0.value))" }.joined(separator: "&")
        // Written apart from the code that it tests: names in order, each with its value.
        let content = fields.sorted { $0.name < $1.name }.reduce(url) { $0 + $1.name + $1.value }
        let code = HMAC<Insecure.SHA1>.authenticationCode(
            for: Data(content.utf8), using: SymmetricKey(data: Data(token.utf8)))
        return (
            body,
            [
                "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
                "X-Twilio-Signature": Data(code).base64EncodedString(), "User-Agent": "TwilioProxy/1.1",
            ]
        )
    }

    private static func encoded(_ text: String) -> String {
        var bytes = ""
        for byte in text.utf8 {
            let scalar = UnicodeScalar(byte)
            let isPlain = scalar.properties.isAlphabetic && byte < 128 || (48...57).contains(byte)
            bytes +=
                isPlain ? String(scalar) : byte == 32 ? "+" : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return bytes
    }

    // MARK: Answers

    /// - Returns: whether the connection goes on.
    private static func answer(
        _ request: RawRequest, _ state: Locked<State>, _ connection: RawConnection
    ) throws -> Bool {
        func refuse(_ status: Int, _ code: Int, _ why: String) throws -> Bool {
            if status != 404 { state.withLock { $0.refusals.append("\(request.target): \(why)") } }
            let isJSON = request.path.hasSuffix(".json")
            let body =
                isJSON
                ? #"{"code": \#(code), "message": "\#(why)", "more_info": "", "status": \#(status)}"#
                : "<?xml version='1.0' encoding='UTF-8'?>\n<TwilioResponse><RestException><Code>\(code)</Code>"
                    + "<Message>\(why)</Message><MoreInfo></MoreInfo><Status>\(status)</Status></RestException></TwilioResponse>"
            try connection.respond(
                status, headers: ["Content-Type": isJSON ? "application/json" : "application/xml"],
                body: Array(body.utf8))
            return true
        }
        guard request.method == "GET" else { return try refuse(405, 20004, "method not allowed") }
        let expected = "Basic " + Data("\(account):\(token)".utf8).base64EncodedString()
        guard request.headers["Authorization"] == expected else { return try refuse(401, 20003, "Authenticate") }
        let prefix = "/2010-04-01/Accounts/\(account)/Recordings/"
        guard request.path.hasPrefix(prefix) else { return try refuse(404, 20404, "no such path") }
        let name = request.path.dropFirst(prefix.count)
        let sid = String(name.prefix { $0 != "." }), suffix = name.dropFirst(sid.count)
        guard sid.count == 34, let recording = state.withLock({ $0.recordings[sid] }) else {
            return try refuse(404, 20404, "The requested resource was not found")
        }
        if suffix == ".json" {
            guard request.query == nil else { return try refuse(400, 20001, "no such parameter") }
            guard let status = recording.status else { return try refuse(404, 20404, "not found") }
            let code = recording.errorCode.map { "\($0)" } ?? "null"
            let body = #"{"sid": "\#(sid)", "status": "\#(status)", "duration": "4", "error_code": \#(code)}"#
            try connection.respond(200, headers: ["Content-Type": "application/json"], body: Array(body.utf8))
            return true
        }
        guard ["", ".wav", ".mp3"].contains(suffix) else { return try refuse(400, 20001, "no such format") }
        if recording.misses > 0 {
            state.withLock { $0.recordings[sid]?.misses -= 1 }
            return try refuse(404, 20404, "The requested resource was not found")
        }
        if let query = request.query {
            guard query == "RequestedChannels=2" else { return try refuse(400, 20001, "no such parameter") }
            guard recording.isDual else {
                try connection.respond(400, headers: ["Content-Type": "application/xml"], body: Array("<x/>".utf8))
                return true
            }
        }
        guard let media = suffix == ".mp3" ? recording.mp3 : recording.wav else {
            return try refuse(404, 20404, "The requested resource was not found")
        }
        let headers: HTTPHeaders = ["Content-Type": suffix == ".mp3" ? "audio/mpeg" : "audio/x-wav"]
        switch recording.fault {
        case .redirect(let url)?:
            try connection.respond(302, headers: ["Location": url])
            return true
        case .errorPage?:
            try connection.respond(
                200, headers: ["Content-Type": "application/xml"], body: Array("<TwilioResponse/>".utf8))
            return true
        case .cut(let times)? where times > 0:
            state.withLock { $0.recordings[sid]?.fault = .cut(times - 1) }
            try connection.write(
                "HTTP/1.1 200 OK\r\nContent-Type: audio/x-wav\r\nContent-Length: \(media.count)\r\n\r\n")
            try connection.write(Array(media.prefix(media.count / 2)))
            return false
        case .hold(let signal)?:
            state.withLock { $0.recordings[sid]?.fault = nil }
            try connection.write(
                "HTTP/1.1 200 OK\r\nContent-Type: audio/x-wav\r\nContent-Length: \(media.count)\r\n\r\n")
            try connection.write(Array(media.prefix(media.count / 2)))
            signal.wait()
            try connection.write(Array(media.dropFirst(media.count / 2)))
            state.withLock { $0.served += 1 }
            return true
        case .cut?, nil:
            try connection.respond(200, headers: headers, body: media)
            state.withLock { $0.served += 1 }
            return true
        }
    }
}

/// Sound as Twilio sends it: PCM at 8 kHz in 16 bits.
package enum CallSound {
    /// A tone on each channel, by its frequency.
    package static func wav(seconds: Double, tones: [Double]) -> [UInt8] {
        let frames = Int(seconds * 8000)
        var data: [UInt8] = []
        data.reserveCapacity(frames * tones.count * 2)
        for frame in 0..<frames {
            for tone in tones {
                let phase: Double = 2 * Double.pi * tone * Double(frame) / 8000
                let value = Int16(12_000 * sin(phase))
                data += [UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)]
            }
        }
        func little(_ value: Int, _ bytes: Int) -> [UInt8] {
            (0..<bytes).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
        }
        let channels = tones.count
        var file = Array("RIFF".utf8)
        file += little(36 + data.count, 4)
        file += Array("WAVEfmt ".utf8)
        let fields: [(value: Int, bytes: Int)] = [
            (16, 4), (1, 2), (channels, 2), (8000, 4), (16_000 * channels, 4), (2 * channels, 2), (16, 2),
        ]
        for field in fields { file += little(field.value, field.bytes) }
        file += Array("data".utf8)
        file += little(data.count, 4)
        return file + data
    }
}
