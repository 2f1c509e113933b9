import Foundation
import JobQueue
import Logging
import Transfer

/// Recordings of calls, as Twilio announces them.
extension API {
    private static let kind = "pipeline.call_recording"
    /// Twilio may send a webhook again for hours; who repeats one later finds the work done.
    private static let memory = Duration.seconds(30 * 86_400)

    var callRoutes: [Route] {
        [
            Route(
                method: .post, path: "/webhooks/twilio/recording", name: "receiveTwilioRecording",
                summary: "Take Twilio's word that a call's recording is there.",
                details: """
                    For `recordingStatusCallback` and the `action` of `<Record>`. Signed by \
                    [Twilio](https://www.twilio.com/docs/usage/security#validating-requests) with the account's primary \
                    token over the public URL; no token of the API is needed. A recording that is completed becomes one \
                    job of the kind `pipeline.call_recording`, however often it is announced; one that is absent or has \
                    failed is written down; all else is ignored. 404 where no token is set.
                    """, group: "Webhooks", scopes: [],
                signature: TwilioSignature(authToken: settings.twilio.authToken),
                parameters: [
                    .init(
                        name: TwilioSignature.field, place: .header, schema: Schemas.text,
                        summary: "The base64 of an HMAC-SHA1 over the URL and the form.", isRequired: true)
                ],
                body: .init(
                    type: FormBody.type,
                    schema: [
                        "type": "object", "required": ["AccountSid", "RecordingSid"],
                        "properties": [
                            "AccountSid": Schemas.text, "CallSid": Schemas.text, "RecordingSid": Schemas.text,
                            "RecordingUrl": Schemas.text, "RecordingStatus": Schemas.text,
                            "RecordingDuration": Schemas.text, "RecordingChannels": Schemas.text,
                        ],
                    ]),
                replies: [.init(status: 204, summary: "It is known.")]
            ) { request in
                try await take(try RecordingNotice(try FormBody(request.bytes)), request)
                return Answer.empty()
            }
        ]
    }

    private func take(_ notice: RecordingNotice, _ request: APIRequest) async throws {
        switch notice.status {
        case .completed:
            let payload = try notice.payload
            try jobs.check(payload, of: Self.kind, at: "")
            let options = EnqueueOptions(
                unique: Unique(notice.recordingSid, scope: .period(Self.memory)),
                metadata: TraceHeaders.adding(to: nil, from: request.raw))
            let job = NewJob(Self.kind, payload, options)
            let id = try await queue.withTransaction { try await queue.enqueue(job, on: $0) }
            request.logger.info(
                "a recording is there", metadata: ["recording": "\(notice.recordingSid)", "job": "\(id.text)"])
        case .absent, .failed:
            request.logger.notice("there is no recording", metadata: ["recording": "\(notice.recordingSid)"])
            let function = CallSchema.name(besides: settings.schema).quotedIdentifier + ".note_absent"
            let statement = PostgresStatement(
                "SELECT \(function)($1, $2, $3, $4, $5)",
                [
                    notice.recordingSid, notice.accountSid, notice.callSid, notice.status.rawValue, notice.reason,
                ])
            _ = try await queue.withConnection { try await $0.query(statement).affected }
        case .other: break
        }
    }
}

/// What Twilio says of a recording.
/// https://www.twilio.com/docs/voice/api/recording#recordingstatuscallback
private struct RecordingNotice {
    enum Status: String {
        case completed, absent, failed
        /// Still under way.
        case other
    }

    let recordingSid: String
    let accountSid: String
    let callSid: String?
    let status: Status
    private let form: FormBody

    /// - Throws: ``Problem`` 400 for a form that lacks what is needed.
    init(_ form: FormBody) throws(Problem) {
        self.form = form
        recordingSid = try Self.sid("RecordingSid", "RE", form)
        accountSid = try Self.sid("AccountSid", "AC", form)
        callSid = form["CallSid"] == nil ? nil : try Self.sid("CallSid", "CA", form)
        // The `action` of <Record> comes without a status, when there is a recording.
        status = form["RecordingStatus"].map { Status(rawValue: $0.lowercased()) ?? .other } ?? .completed
    }

    /// Why there is none. https://www.twilio.com/docs/api/errors
    var reason: String {
        let code = form["ErrorCode"]
        let words =
            switch code {
            case "16101": ": it would have been too short"
            case "16102": ": it would have been silent"
            default: ""
            }
        return "Twilio says that the recording is \(status.rawValue)\(words)" + (code.map { " (error \($0))" } ?? "")
    }

    /// - Throws: ``Problem`` 400 without a URL.
    var payload: JSONValue {
        get throws(Problem) {
            guard let url = form["RecordingUrl"], (try? HTTPURL(url)) != nil else {
                throw .badRequest("RecordingUrl is missing, or no URL")
            }
            var payload: [String: JSONValue] = [
                "recordingUrl": .string(url), "recordingSid": .string(recordingSid), "accountSid": .string(accountSid),
            ]
            if let callSid { payload["callSid"] = .string(callSid) }
            if let from = form["From"] { payload["from"] = .string(from) }
            if let to = form["To"] { payload["to"] = .string(to) }
            if let seconds = form["RecordingDuration"].flatMap({ Int64($0) }), seconds >= 0 {
                payload["duration"] = .integer(seconds)
            }
            if let channels = form["RecordingChannels"].flatMap({ Int64($0) }), (1...2).contains(channels) {
                payload["channels"] = .integer(channels)
            }
            return .object(payload)
        }
    }

    /// Two letters, and what follows them: it becomes part of a key.
    private static func sid(_ name: String, _ prefix: String, _ form: FormBody) throws(Problem) -> String {
        guard let text = form[name], text.wholeMatch(of: /[A-Z]{2}[A-Za-z0-9]{1,62}/) != nil, text.hasPrefix(prefix)
        else { throw .badRequest("\(name) is missing, or no SID that begins with \(prefix)") }
        return text
    }
}
