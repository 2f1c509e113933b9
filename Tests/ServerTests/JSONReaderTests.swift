import Foundation
import JobQueue
import Testing

@testable import Server

private func failure(_ text: String) -> JSONReader.Failure? {
    do throws(JSONReader.Failure) {
        _ = try JSONReader.read(Array(text.utf8))
        return nil
    } catch {
        return error
    }
}

@Suite struct JSONReaderTests {
    @Test(arguments: [
        ("{\n  \"a\": 1,\n  \"b\" 2\n}", 3, 7, "colon"), ("[1, 2", 1, 6, "comma or ]"), ("{\"a\": tru}", 1, 7, "tru"),
        ("\"grün\\x\"", 1, 6, "escape"), ("", 1, 1, "too early"), ("1 2", 1, 3, "after its end"),
        ("{\"a\": 1, \"a\": 2}", 1, 10, "twice"), ("\"a\\u0000\"", 1, 3, "NUL"), ("\"\\ud800x\"", 1, 2, "surrogate"),
        ("[01]", 1, 2, "01"), ("[1.]", 1, 2, "1."), ("[.5]", 1, 2, ".5"), ("[1e]", 1, 2, "1e"), ("[-]", 1, 2, "-"),
        ("[1e999]", 1, 2, "too large"), ("\"a\nb\"", 1, 3, "control"), ("{a: 1}", 1, 2, "key in quotes"),
        ("[\u{FEFF}1]", 1, 2, "value is expected"), ("\"abc", 1, 5, "does not end"),
    ])
    func `What is no JSON is refused with its place`(text: String, line: Int, column: Int, word: String) {
        let found = failure(text)
        #expect(found?.line == line && found?.column == column, "\(String(describing: found))")
        #expect(found?.text.contains(word) == true, "\(String(describing: found))")
    }

    @Test func `Bytes that are not UTF-8 are refused`() {
        #expect(throws: JSONReader.Failure.self) { try JSONReader.read([0x22, 0xFF, 0x22]) }
    }

    @Test func `A thousand brackets are refused before they fill the stack`() {
        #expect(failure(String(repeating: "[", count: 100_000))?.text.contains("nested") == true)
    }

    @Test func `Values are read as Foundation reads them`() throws {
        let text = #"""
            {"a": [1, -2, 0, 9223372036854775807, 1.5, -2.5e-3, 1E5, 12345678901234567890], "b": {"": "\n\t\"\\\/ é\u00e9\ud83d\ude00"},
             "c": true, "d": false, "e": null, "f": [], "g": {}}
            """#
        let mine = try JSONReader.read(Array(text.utf8))
        let theirs = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        #expect(mine == theirs)
        #expect(mine["a"]?.elements?[3] == .integer(.max))
        #expect(mine["b"]?[""] == "\n\t\"\\/ éé😀")
    }
}
