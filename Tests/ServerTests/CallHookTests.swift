import Foundation
import HTTPTypes
import JobQueue
import PostgresTestSupport
import ProviderTestSupport
import Testing
import Transfer

@testable import Server

/// Recordings that Twilio announces.
@Suite struct CallHookTests {
    private static let url = "https://kiln.example.com/webhooks/twilio/recording"
    private static let path = "/webhooks/twilio/recording"

    private func withTwilio(
        settings change: @Sendable (inout ServerSettings) -> Void = { _ in },
        _ body: @Sendable (TestAPI) async throws -> Void
    ) async throws {
        try await withAPI(
            settings: { settings in
                settings.twilio = .init(authToken: TwilioStandIn.token)
                settings.publicURL = try? HTTPURL("https://kiln.example.com")
                change(&settings)
            },
            prepare: { queue in
                // Without one, a server that is public does not begin. None is sent.
                _ = try await TokenStore(queue).create(name: "a", scopes: [.admin])
            }
        ) { (api) async throws in
            try await CallSchema.migrations(api.database.url).migrate(roles: .create())
            try await body(api)
        }
    }

    private static func fields(
        _ sid: String, status: String? = "completed", more: [(String, String)] = []
    ) -> [(name: String, value: String)] {
        var fields = [
            (name: "AccountSid", value: TwilioStandIn.account), (name: "CallSid", value: "CA0123456789"),
            (name: "RecordingSid", value: sid),
            (name: "RecordingUrl", value: "https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/\(sid)"),
            (name: "RecordingDuration", value: "45"), (name: "RecordingChannels", value: "2"),
            (name: "From", value: "+15551234567"),
        ]
        if let status { fields.append((name: "RecordingStatus", value: status)) }
        return fields + more.map { (name: $0.0, value: $0.1) }
    }

    private static func verified(
        _ url: String, _ form: String, _ signature: String, token: String = "12345",
        type: String = "application/x-www-form-urlencoded"
    ) -> Bool {
        var headers = HTTPFields()
        headers[text: "X-Twilio-Signature"] = signature
        headers[text: "Content-Type"] = type
        let request = SignedRequest(
            method: "POST", url: url,
            headers: headers, body: Array(form.utf8),
            receivedAt: Date())
        return (try? TwilioSignature(authToken: token).verify(request)) != nil
    }

    @Test func `Signatures are those of Twilio's own libraries`() {
        // https://www.twilio.com/docs/usage/security, and the tests of twilio-python.
        let form = "Digits=1234&From=%2B14158675309&To=%2B18005551212&CallSid=CA1234567890ABCDE&Caller=%2B14158675309"
        let signature = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2"
        #expect(Self.verified(url, form, signature))
        // Before a proxy it was on the port of TLS.
        #expect(Self.verified("https://mycompany.com:443/myapp.php?foo=1&bar=2", form, signature))
        #expect(!Self.verified("http://mycompany.com/myapp.php?foo=1&bar=2", form, signature))
        #expect(!Self.verified("https://mycompany.com/myapp.php?foo=1", form, signature))
        #expect(!Self.verified(url, form + "&a=b", signature))
        #expect(!Self.verified(url, form, signature, token: "12346"))
        #expect(!Self.verified(url, form, ""))
        #expect(!Self.verified(url, form, "no base64"))
        // Names in order, values of a name in order, and each once.
        let several = FormBody.isForm("Application/X-WWW-Form-URLEncoded;charset=utf-8")
        #expect(several)
        let content = try? TwilioSignature.content(
            of: FormBody(Array("Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234".utf8)))
        #expect(content == "Digits1234Digits5678SidCA123SidAccountAC123")
    }

    @Test func `What is no form is signed by its hash in the URL`() {
        // The signature was made by twilio-python's rule: the URL alone.
        let body = #"{"property": "value", "boolean": true}"#
        let hash = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256=\(hash)"
        let signature = "a9nBmqA0ju/hNViExpshrM61xv4="
        #expect(Self.verified(url, body, signature, type: "application/json"))
        #expect(!Self.verified(url, body + " ", signature, type: "application/json"))
    }

    @Test func `A recording that is announced becomes one job, however often that is said`() async throws {
        try await withTwilio { (api) async throws in
            let sid = TwilioStandIn.recordingSid()
            let (body, headers) = TwilioStandIn.webhook(Self.fields(sid), to: Self.url)
            for _ in 0..<3 {
                let reply = try await api.post(Self.path, body, headers: headers)
                #expect(reply.status == 204 && reply.body.isEmpty, "\(reply.text)")
            }
            let jobs = try await api.queue.jobs()
            #expect(jobs.map(\.kind) == ["pipeline.call_recording"])
            let id = try #require(jobs.first?.id)
            let payload = try await api.queue.job(id)?.payload?.decode(JSONValue.self)
            #expect(payload?["recordingSid"]?.string == sid && payload?["callSid"] == "CA0123456789")
            #expect(payload?["accountSid"]?.string == TwilioStandIn.account && payload?["from"] == "+15551234567")
            #expect(payload?["duration"] == 45 && payload?["channels"] == 2)
            #expect(payload?["recordingUrl"]?.string?.hasSuffix(sid) == true)
            // Also when the job is over, as a message that was captured may come much later.
            try await withWorker(
                api,
                register: { worker in
                    worker.register("pipeline.call_recording") { (_: Job<JSONValue>) in "done" }
                }
            ) {
                for job in jobs { _ = try await api.queue.wait(for: job.id, timeout: .seconds(60)) }
            }
            #expect(try await api.post(Self.path, body, headers: headers).status == 204)
            #expect(try await api.queue.jobs().count == 1)
        }
    }

    @Test func `The action of Record comes without a status, and counts`() async throws {
        try await withTwilio { (api) async throws in
            let (body, headers) = TwilioStandIn.webhook(
                Self.fields(TwilioStandIn.recordingSid(), status: nil), to: Self.url)
            #expect(try await api.post(Self.path, body, headers: headers).status == 204)
            #expect(try await api.queue.jobs().count == 1)
        }
    }

    @Test func `A recording that will not be is written down, and one under way is not`() async throws {
        try await withTwilio { (api) async throws in
            let absent = TwilioStandIn.recordingSid(), under = TwilioStandIn.recordingSid()
            for (sid, status, more) in [
                (absent, "absent", [("ErrorCode", "16102")]), (under, "in-progress", []),
            ] {
                let (body, headers) = TwilioStandIn.webhook(Self.fields(sid, status: status, more: more), to: Self.url)
                #expect(try await api.post(Self.path, body, headers: headers).status == 204)
            }
            #expect(try await api.queue.jobs().isEmpty)
            let rows = try await api.database.psql(
                """
                SELECT r.recording_sid || ' ' || r.status || ' ' || c.status || ' ' || c.error FROM kiln_calls.recordings r
                JOIN kiln_calls.calls c ON c.id = r.call_id
                """)
            #expect(
                rows.contains("\(absent) absent failed") && rows.contains("16102") && !rows.contains(under), "\(rows)")
        }
    }

    @Test func `What is signed wrong is refused, and nothing is told where no token is set`() async throws {
        try await withTwilio { (api) async throws in
            let sid = TwilioStandIn.recordingSid()
            let wrong = TwilioStandIn.webhook(Self.fields(sid), to: Self.url, token: "another")
            let elsewhere = TwilioStandIn.webhook(Self.fields(sid), to: "https://other.example" + Self.path)
            let right = TwilioStandIn.webhook(Self.fields(sid), to: Self.url)
            for (body, headers) in [wrong, elsewhere, (right.body + "&Extra=1", right.headers)] {
                let refused = try await api.post(Self.path, body, headers: headers)
                #expect(refused.status == 401 && refused.code == "bad_signature", "\(refused.text)")
                #expect(!refused.text.contains(headers["X-Twilio-Signature"] ?? "?"))
            }
            var headers = right.headers
            headers["X-Twilio-Signature"] = nil
            #expect(try await api.post(Self.path, right.body, headers: headers).status == 401)
            #expect(try await api.queue.jobs().isEmpty)
            // Signed with the port that Twilio has put in.
            let ported = TwilioStandIn.webhook(Self.fields(sid), to: "https://kiln.example.com:443" + Self.path)
            #expect(try await api.post(Self.path, ported.body, headers: ported.headers).status == 204)
            // A form that is signed may still be of no use.
            let bad = TwilioStandIn.webhook(Self.fields("../../etc"), to: Self.url)
            #expect(try await api.post(Self.path, bad.body, headers: bad.headers).status == 400)
        }
        try await withTwilio(settings: { $0.twilio = .init() }) { (api) async throws in
            let (body, headers) = TwilioStandIn.webhook(Self.fields(TwilioStandIn.recordingSid()), to: Self.url)
            #expect(try await api.post(Self.path, body, headers: headers).status == 404)
        }
    }
}
