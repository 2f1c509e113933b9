import Testing
import Transfer

@testable import Worker

/// Where recordings are, who is given the token, and how long they are waited for.
@Suite struct RecordingAddressTests {
    private static let sid = "RE" + String(repeating: "0a", count: 16)
    private static let base = "https://api.twilio.com/2010-04-01/Accounts/AC123/Recordings/"

    @Test(arguments: ["", ".wav", ".mp3", ".json", ".MP3", ".wav?RequestedChannels=1"])
    func `A suffix does not matter`(_ suffix: String) throws {
        let address = try RecordingAddress(Self.base + Self.sid + suffix, sid: nil)
        #expect(address.sid == Self.sid && address.accountSid == "AC123" && address.isTwilios)
        #expect(address.url.text == Self.base + Self.sid)
        let names = address.candidates(channels: nil).map { $0.text.dropFirst(Self.base.count + Self.sid.count) }
        #expect(names == [".wav?RequestedChannels=2", ".wav", ".mp3"])
        #expect(address.candidates(channels: 1).count == 2)
        #expect(address.metadata?.text == Self.base + Self.sid + ".json")
    }

    @Test func `Elsewhere a URL is good as it is`() throws {
        let url = "https://bucket.example/calls/7.wav?signature=x"
        #expect(throws: RecordingAddress.Problem.self) { try RecordingAddress(url, sid: nil) }
        let address = try RecordingAddress(url, sid: Self.sid)
        #expect(address.candidates(channels: 2).map(\.text) == [url] && address.metadata == nil)
        #expect(throws: RecordingAddress.Problem.self) { try RecordingAddress(Self.base + "RE1", sid: Self.sid) }
        // Also where it looks like one of Twilio's: what is signed is good as it is alone.
        let signed = "https://bucket.example/AC123/Recordings/\(Self.sid)?X-Amz-Signature=x"
        #expect(try RecordingAddress(signed, sid: nil).candidates(channels: nil).map(\.text) == [signed])
    }

    @Test func `The token goes to hosts that are named, by TLS`() throws {
        let hosts = TwilioHosts(names: ["api.twilio.com", "http://127.0.0.1:8080"])
        let cases = [
            ("https://api.twilio.com/x", true), ("http://api.twilio.com/x", false),
            ("https://api.twilio.com:444/x", false), ("https://api.twilio.com.example/x", false),
            ("https://xapi.twilio.com/x", false), ("http://127.0.0.1:8080/x", true), ("http://127.0.0.1/x", false),
        ]
        for (url, isOne) in cases { #expect(try hosts.contain(HTTPURL(url)) == isOne, "\(url)") }
    }

    @Test func `Waits grow from five seconds to two minutes, for half an hour`() {
        #expect(RecordingPatience.wait(after: .zero) == .seconds(5))
        #expect(RecordingPatience.wait(after: .seconds(60)) == .seconds(30))
        #expect(RecordingPatience.wait(after: .seconds(1000)) == .seconds(120))
        #expect(RecordingPatience.wait(after: .seconds(1800)) == nil)
    }

    @Test func `Sound is known by its type and its first bytes`() {
        let wav: [UInt8] =
            Array("RIFF".utf8) + [0, 0, 0, 0] + Array("WAVEfmt ".utf8) + [16, 0, 0, 0, 1, 0, 2, 0, 0, 0]
        #expect(RecordingContent(type: "audio/x-wav", head: wav)?.channels == 2)
        #expect(RecordingContent(type: nil, head: wav)?.format == .wav)
        #expect(RecordingContent(type: "audio/mpeg", head: [0xFF, 0xFB, 0x90])?.format == .mp3)
        #expect(RecordingContent(type: "application/xml", head: wav) == nil)
        #expect(RecordingContent(type: "audio/x-wav", head: Array("<?xml version".utf8)) == nil)
        #expect(RecordingContent(type: "audio/x-wav", head: []) == nil)
    }
}
