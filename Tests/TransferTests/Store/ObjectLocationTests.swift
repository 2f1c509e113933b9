import Testing
import Transfer

@Suite struct ObjectLocationTests {
    @Test func `locations are read`() throws {
        #expect(try ObjectLocation("s3://media/in/a.mp4") == .bucket("media", key: "in/a.mp4"))
        #expect(try ObjectLocation("S3://media/in/a%20b%2Bc%25.mp4") == .bucket("media", key: "in/a b+c%.mp4"))
        #expect(try ObjectLocation("s3://media/a b+ü:@.mp4") == .bucket("media", key: "a b+ü:@.mp4"))
        #expect(try ObjectLocation("s3://media//a/../b") == .bucket("media", key: "/a/../b"))
        #expect(try ObjectLocation("store://out/%C3%A9.mp4") == .store(key: "out/é.mp4"))
        #expect(try ObjectLocation("file:///srv/media/a%20b.mp4") == .file(path: "/srv/media/a b.mp4"))
        #expect(try ObjectLocation("file://localhost/srv/a") == .file(path: "/srv/a"))
        #expect(
            try ObjectLocation("https://example.com/a?token=x") == .web(try HTTPURL("https://example.com/a?token=x")))
    }

    @Test(arguments: [
        "", "a.mp4", "/srv/a.mp4", "s3:", "s3://", "s3://media", "s3://media/", "s3:///key", "s3://me?dia/a",
        "s3://media/a?b", "s3://media/a#b", "s3://media/100%", "s3://media/%zz", "s3://media/%FF", "store://",
        "store:///a", "file://", "file:///", "file://host/a", "file:///a%00b", "ftp://example.com/a", "http://",
        "https://user@@host/", "data:text/plain,a", "concat:a|b",
    ]) func `what is none is refused, without its text`(_ text: String) {
        let error = #expect(throws: TransferError.self) { try ObjectLocation(text) }
        #expect(error?.code == .badURL)
        if text.utf8.count > 12 { #expect(error.map { "\($0)".contains(text) } == false) }
    }

    @Test func `a location reads as it is shown, but for what is secret`() throws {
        for location: ObjectLocation in [
            .bucket("media", key: "a b/ü%?#.mp4"), .bucket("media", key: "//x"), .store(key: "/é"),
            .file(path: "/a b?"),
        ] {
            #expect(try ObjectLocation("\(location)") == location)
        }
        #expect("\(try ObjectLocation("https://u:p@example.com/a?X-Amz-Signature=1"))" == "https://example.com/a")
    }
}
