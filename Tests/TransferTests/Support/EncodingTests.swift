import Testing

@testable import Transfer

@Suite struct EncodingTests {
    // RFC 4648, §10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func `base64`(text: String, encoded: String) {
        #expect(Base64.encoded(Array(text.utf8)) == encoded)
        #expect(Base64.decoded(encoded) == Array(text.utf8))
        // Padding may be missing.
        #expect(Base64.decoded(encoded.prefix { $0 != "=" }) == Array(text.utf8))
    }

    @Test func `all bytes there and back`() {
        let bytes = (0...255).map { UInt8($0) }
        #expect(Base64.decoded(Base64.encoded(bytes)) == bytes)
    }

    @Test(arguments: ["Z", "Zg=a", "Zm9-", "Zm 9v", "é"])
    func `is no base64`(text: String) {
        #expect(Base64.decoded(text) == nil)
    }

    @Test func `percent-encoding`() {
        #expect(PercentEncoding.encoded("a/b c+é%20~") == "a%2Fb%20c%2B%C3%A9%2520~")
        #expect(PercentEncoding.decoded("a%2fb%20c%2B%C3%A9%25%") == "a/b c+é%%")
        #expect(PercentEncoding.completing("/a%20b c%zz", allowed: PercentEncoding.isPathByte) == "/a%20b%20c%25zz")
    }
}
