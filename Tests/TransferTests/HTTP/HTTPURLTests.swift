import Testing

@testable import Transfer

@Suite struct HTTPURLTests {
    @Test func `takes a URL apart`() throws {
        let url = try HTTPURL("HTTPS://us%40er:pa%3Ass@Example.COM:8443/a/b%20c?x=1&y=%2F#part")
        #expect(url.scheme == .https)
        #expect(url.host == "example.com")
        #expect(url.port == 8443)
        #expect(url.path == "/a/b%20c")
        #expect(url.query == "x=1&y=%2F")
        #expect(url.userInfo?.user == "us@er")
        #expect(url.userInfo?.password == "pa:ss")
        #expect(url.origin == "https://example.com:8443")
        #expect(url.text == "https://example.com:8443/a/b%20c?x=1&y=%2F")
    }

    @Test func `shows neither user nor query`() throws {
        let url = try HTTPURL("https://user:secret@example.com/a?X-Amz-Signature=abc")
        #expect("\(url)" == "https://example.com/a")
    }

    @Test(arguments: [
        ("http://example.com", "http://example.com/"),
        ("http://example.com?x", "http://example.com/?x"),
        ("http://example.com:80/", "http://example.com/"),
        ("http://example.com:/", "http://example.com/"),
        ("http://[::1]:8080/a", "http://[::1]:8080/a"),
        ("http://example.com/a b/é?q=ü ", "http://example.com/a%20b/%C3%A9?q=%C3%BC%20"),
        ("http://example.com/100%/%zz/%2f", "http://example.com/100%25/%25zz/%2f"),
        // A key in a bucket may hold what elsewhere would be taken away.
        ("http://example.com/a/../b//c/.", "http://example.com/a/../b//c/."),
        ("http://example.com/a\\b", "http://example.com/a%5Cb"),
    ])
    func `is sent as`(text: String, sent: String) throws {
        #expect(try HTTPURL(text).text == sent)
    }

    @Test(arguments: [
        "", "example.com", "/a", "ftp://example.com/", "file:///etc/passwd", "http:/example.com", "http://",
        "http:///a", "http://a b/", "http://exa\nmple.com/", "http://example.com/\r\nHost: x", "http://example.com:0/",
        "http://example.com:65536/", "http://example.com:8a/", "http://example.com:-1/", "http://[::1/",
        "http://[127.0.0.1]/", "http://[fe80::1%25eth0]/", "http://a@b@example.com/", "http://example.com\\@evil.org/",
        "http://exämple.com/", "http://example.com%2eevil.org/", "http://example.com\u{7F}/", "gopher://127.0.0.1:25/",
    ])
    func `refuses`(text: String) {
        #expect { try HTTPURL(text) } throws: { ($0 as? TransferError)?.code == .badURL }
    }

    @Test func `says no word of a bad URL`() throws {
        let error = #expect(throws: TransferError.self) { try HTTPURL("http://user:secret@exa mple.com/?token=secret") }
        #expect(error?.description.contains("secret") == false)
    }

    // RFC 3986, §5.4.1 and §5.4.2, but for other schemes.
    @Test(arguments: [
        ("g", "/b/c/g"), ("./g", "/b/c/g"), ("g/", "/b/c/g/"), ("/g", "/g"), ("?y", "/b/c/d;p?y"), ("g?y", "/b/c/g?y"),
        ("#s", "/b/c/d;p?q"), ("g#s", "/b/c/g"), ("g?y#s", "/b/c/g?y"), (";x", "/b/c/;x"), ("", "/b/c/d;p?q"),
        (".", "/b/c/"), ("./", "/b/c/"), ("..", "/b/"), ("../", "/b/"), ("../g", "/b/g"), ("../..", "/"),
        ("../../", "/"), ("../../g", "/g"), ("../../../g", "/g"), ("../../../../g", "/g"), ("/./g", "/g"),
        ("/../g", "/g"), ("g.", "/b/c/g."), (".g", "/b/c/.g"), ("g..", "/b/c/g.."), ("..g", "/b/c/..g"),
        ("./../g", "/b/g"), ("./g/.", "/b/c/g/"), ("g/./h", "/b/c/g/h"), ("g/../h", "/b/c/h"),
        ("g;x=1/./y", "/b/c/g;x=1/y"), ("g;x=1/../y", "/b/c/y"),
    ])
    func `resolves a reference`(reference: String, expected: String) throws {
        let base = try HTTPURL("http://a/b/c/d;p?q")
        #expect(try base.resolving(reference).text == "http://a" + expected)
    }

    @Test func `resolves references to other hosts`() throws {
        let base = try HTTPURL("https://a.example/b")
        #expect(try base.resolving("//c.example/d").text == "https://c.example/d")
        #expect(try base.resolving("http://c.example:81").text == "http://c.example:81/")
        #expect { try base.resolving("file:///etc/passwd") } throws: { ($0 as? TransferError)?.code == .badURL }
        #expect { try base.resolving("javascript:alert(1)") } throws: { ($0 as? TransferError)?.code == .badURL }
    }
}
