import Foundation
import JobQueue
import Testing

@Suite struct JSONNumberTests {
    @Test func `a number that is too large is what the error is about`() throws {
        let error = #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([String: JSONValue].self, from: Data(#"{"start": 1e300}"#.utf8))
        }
        guard case .dataCorrupted(let context)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(context.codingPath.map(\.stringValue) == ["start"])
        #expect(context.debugDescription.contains("too large"))
    }
}
