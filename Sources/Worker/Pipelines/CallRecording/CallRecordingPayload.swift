import FoundationEssentials
import JobQueue

extension CallRecording {
    /// A recording at Twilio, and what is known of its call.
    ///
    /// ```json
    /// {"recordingUrl": "https://api.twilio.com/2010-04-01/Accounts/AC…/Recordings/RE…", "callSid": "CA…", "duration": 45}
    /// ```
    struct Payload: Decodable, Sendable {
        /// Where it is, and what it is called.
        var address: RecordingAddress
        /// `nil` where neither the payload nor the URL says it.
        var accountSid: String?
        var callSid: String?
        var from: String?
        var to: String?
        /// Seconds.
        var duration: Double?
        /// 2 where each side has a channel; `nil` if that is not known.
        var channels: Int?
        /// Who is heard on which channel, from the first.
        var speakers: [String]
        /// An ISO 639-1 code; `nil` to have it found out.
        var language: String?
        var webhook: WebhookTarget?

        /// Twilio puts who calls on the first channel, who is called on the second.
        static let usualSpeakers = ["Caller", "Agent"]

        enum CodingKeys: String, CodingKey, CaseIterable {
            case recordingUrl, recordingSid, accountSid, callSid, from, to, duration, channels, speakers, language,
                webhook
        }

        init(from decoder: any Decoder) throws {
            try decoder.refuseKeys(besides: CodingKeys.allCases.map(\.stringValue) + PayloadEnvelope.keys)
            let values = try decoder.container(keyedBy: CodingKeys.self)
            func corrupted(_ key: CodingKeys, _ why: String) -> DecodingError {
                DecodingError.dataCorruptedError(forKey: key, in: values, debugDescription: why)
            }
            func sid(_ key: CodingKeys, _ prefix: String) throws -> String? {
                guard let text = try values.decodeIfPresent(String.self, forKey: key) else { return nil }
                guard TwilioSID.isOne(text, prefix) else {
                    throw corrupted(key, "it is no SID that begins with \(prefix)")
                }
                return text
            }
            do {
                address = try RecordingAddress(
                    try values.decode(String.self, forKey: .recordingUrl), sid: try sid(.recordingSid, "RE"))
            } catch let problem as RecordingAddress.Problem {
                throw corrupted(.recordingUrl, problem.description)
            }
            accountSid = try sid(.accountSid, "AC") ?? address.accountSid
            callSid = try sid(.callSid, "CA")
            from = try values.decodeIfPresent(String.self, forKey: .from)
            to = try values.decodeIfPresent(String.self, forKey: .to)
            duration = try values.decodeIfPresent(Double.self, forKey: .duration)
            guard duration.map({ $0 >= 0 }) ?? true else { throw corrupted(.duration, "it is less than 0 seconds") }
            channels = try values.decodeIfPresent(Int.self, forKey: .channels)
            guard channels.map({ (1...2).contains($0) }) ?? true else {
                throw corrupted(.channels, "it is neither 1 nor 2")
            }
            speakers = try values.decodeIfPresent([String].self, forKey: .speakers) ?? Self.usualSpeakers
            language = try values.decodeIfPresent(String.self, forKey: .language)
            webhook = try values.decodeIfPresent(WebhookTarget.self, forKey: .webhook)
        }
    }

    static var schema: JSONSchema {
        func text(_ description: String) -> JSONSchema {
            JSONSchema.string.orNull.adding(["description": .string(description)])
        }
        func sid(_ prefix: String, _ description: String) -> JSONSchema {
            text(description).adding(["pattern": .string("^\(prefix)[A-Za-z0-9]{1,62}$")])
        }
        return JSONSchema.object(
            [
                "recordingUrl": JSONSchema.string.adding([
                    "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://",
                    "description": "Where Twilio has it; .wav or .mp3 at its end does not matter.",
                ]),
                "recordingSid": sid("RE", "Its name, which the rows go by; the one in the URL if it is left out."),
                "accountSid": sid("AC", "Whose it is; the one in the URL, or TWILIO_ACCOUNT_SID, if it is left out."),
                "callSid": sid("CA", "The call that was recorded."),
                "from": text("Who called."),
                "to": text("Who was called."),
                "duration": JSONSchema.number.orNull.adding(["minimum": 0, "description": "Seconds."]),
                "channels": JSONSchema.integer.orNull.adding([
                    "minimum": 1, "maximum": 2, "description": "2 where each side has a channel of its own.",
                ]),
                "speakers": JSONSchema(["type": ["array", "null"], "items": JSONSchema.string.json]).adding([
                    "description": "Who is heard on which channel; Caller and Agent if it is left out."
                ]),
                "language": text("An ISO 639-1 code; found out if it is left out."),
            ].merging(PayloadEnvelope.properties) { $1 }, required: ["recordingUrl"]
        ).adding(["$schema": "https://json-schema.org/draft/2020-12/schema"])
    }
}
