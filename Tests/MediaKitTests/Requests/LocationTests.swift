import Testing

@testable import MediaKit

@Suite struct LocationTests {
    @Test(arguments: [
        ("https://user:word@example.com/a/b.mp4?X-Amz-Signature=1#t", "https://example.com/a/b.mp4"),
        ("HTTP://example.com/b.mp4?x", "HTTP://example.com/b.mp4"), ("https://example.com?x=1", "https://example.com"),
        ("https://example.com/a@b.mp4", "https://example.com/a@b.mp4"), ("a?b#c.mp4", "a?b#c.mp4"),
        ("s3://media/a?b.mp4", "s3://media/a?b.mp4"), ("-", "-"), ("", ""),
    ])
    func `A location is shown without what is secret in it`(location: String, shown: String) {
        #expect(location.shownLocation == shown)
    }

    @Test func `The container is told from a URL's path`() {
        #expect(Container(fileName: "https://example.com/b.mp4?name=c.mkv") == .mp4)
        #expect(Container(fileName: "https://example.com/b?name=c.mkv") == nil)
        #expect(Container(fileName: "s3://media/b.webm") == .webm)
        #expect(Container(fileName: "what?.mkv") == .mkv)
    }

    @Test func `An error about a URL does not repeat its signature`() async {
        let location = "https://user:word@example.com/b?X-Amz-Signature=abc"
        for request: MediaRequest in [
            .transcode(Transcode(input: "in.mp4", output: location)), .probe(Probe(input: location)),
        ] {
            do {
                _ = try await MediaEngine().execute(request)
                Issue.record("it went through")
            } catch {
                #expect(!"\(error)".contains("abc") && !"\(error)".contains("word"), "\(error)")
                #expect((error as? MediaError)?.input?.contains("abc") != true)
            }
        }
    }
}
