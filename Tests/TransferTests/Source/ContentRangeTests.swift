import Testing
import Transfer

@Suite struct ContentRangeTests {
    @Test func `what servers write`() throws {
        let whole = try #require(ContentRange("Bytes 100-1233/1234"))
        #expect(whole.range == 100..<1234)
        #expect(whole.size == 1234)
        let unknown = try #require(ContentRange("bytes 0-499/*"))
        #expect(unknown.range == 0..<500)
        #expect(unknown.size == nil)
        let none = try #require(ContentRange("bytes */1234"))
        #expect(none.range == nil)
        #expect(none.size == 1234)
    }

    @Test(arguments: [
        nil, "", "bytes", "bytes 0-499", "bytes 5-4/10", "bytes 0-10/10", "bytes -1-4/10", "items 0-4/10",
        "bytes 0-4/x", "bytes 0-99999999999999999999/*",
    ])
    func `what makes no sense`(text: String?) { #expect(ContentRange(text) == nil) }
}
