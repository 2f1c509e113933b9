import Testing
import Transfer

@testable import Telemetry

@Suite struct KeyValueListTests {
    @Test(
        arguments: [
            ("", []), ("api-key=abc", ["api-key: abc"]), ("a=1,b=2", ["a: 1", "b: 2"]),
            (" a = 1 , , b=2,", ["a: 1", "b: 2"]),
            ("Authorization=Basic dXNlcjpwYXNz==", ["Authorization: Basic dXNlcjpwYXNz=="]),
            ("Authorization=Bearer%20x%2Cy", ["Authorization: Bearer x,y"]), ("a=100%,b=%zz", ["a: 100%", "b: %zz"]),
            ("a=", ["a: "]), ("a=1,a=2", ["a: 1", "a: 2"]), ("a=%C3%A9", ["a: é"]),
        ] as [(String, [String])])
    func `headers as the environment gives them`(text: String, expected: [String]) throws {
        #expect(try KeyValueList.headers(text).fields.map { "\($0.name): \($0.value)" } == expected)
    }

    @Test(arguments: [
        "secret", "a=1,secret", "=secret", "a b=secret", "a%20b=secret", "a=secret%0d%0aX: y", "a:=secret",
    ])
    func `lists that cannot be read, and errors that keep secrets`(text: String) {
        let error = #expect(throws: KeyValueList.Malformed.self) { try KeyValueList.headers(text) }
        #expect(error?.description.contains("secret") == false)
    }

    @Test func `attributes of the resource`() throws {
        let attributes = try KeyValueList.attributes(
            "service.namespace=media,deployment.environment.name=a%20b,x=1,x=2")
        #expect(attributes == ["service.namespace": "media", "deployment.environment.name": "a b", "x": "2"])
    }
}
