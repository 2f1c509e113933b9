import Foundation
import MediaKit
import Testing

@Suite struct `The documented requests` {
    /// The JSON blocks of docs/requests.md.
    static let examples: [String] = {
        let root = URL(filePath: #filePath).appending(path: "../../../..").standardized
        guard let text = try? String(contentsOf: root.appending(path: "docs/requests.md"), encoding: .utf8) else {
            return []
        }
        return text.components(separatedBy: "```json\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
    }()

    @Test func `are found`() {
        #expect(Self.examples.count >= 5)
    }

    @Test(arguments: examples) func `decode, and encode to what decodes again`(json: String) throws {
        let request = try JSONDecoder().decode(MediaRequest.self, from: Data(json.utf8))
        let encoded = try JSONEncoder().encode(request)
        let again = try JSONDecoder().decode(MediaRequest.self, from: encoded)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        #expect(try encoder.encode(again) == encoder.encode(request))
    }
}
