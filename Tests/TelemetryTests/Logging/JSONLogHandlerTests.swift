import Foundation
import Logging
import Testing
import Tracing

@testable import Telemetry

@Suite struct JSONLogHandlerTests {
    @Test func `a record has its fields, with those of a job at the top`() throws {
        let file = try LogFile()
        var logger = Logger(.json, to: file, label: "kiln.worker")
        logger[metadataKey: "job"] = "0199"
        logger[metadataKey: "kind"] = "media.probe"
        logger[metadataKey: "attempt"] = "2"
        logger.warning("done", metadata: ["bytes": "12"], source: "Worker")
        let object = try #require(try file.objects.first)
        #expect(object["level"] as? String == "warning")
        #expect(object["label"] as? String == "kiln.worker")
        #expect(object["message"] as? String == "done")
        #expect(object["job"] as? String == "0199")
        #expect(object["kind"] as? String == "media.probe")
        #expect(object["attempt"] as? Int == 2)
        #expect(object["source"] as? String == "Worker")
        #expect(object["metadata"] as? [String: String] == ["bytes": "12"])
        #expect(object["trace_id"] == nil && object["error"] == nil)
        let time = try #require(object["time"] as? String)
        #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
        let date = try Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(time)
        #expect(abs(date.timeIntervalSinceNow) < 3600)
    }

    @Test(arguments: [
        (0, 0, "1970-01-01T00:00:00.000Z"), (951_868_799, 999_999_999, "2000-02-29T23:59:59.999Z"),
        (1_795_291_292, 5_000_000, "2026-11-21T20:01:32.005Z"), (-1, 500_000_000, "1969-12-31T23:59:59.500Z"),
    ])
    func `times are in UTC, cut to milliseconds`(seconds: Int, nanoseconds: Int, text: String) {
        var bytes: [UInt8] = []
        RFC3339.append(timespec(tv_sec: seconds, tv_nsec: nanoseconds), to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == text)
    }

    @Test func `it stays one line of JSON whatever the texts hold`() throws {
        let file = try LogFile()
        for text in hostileTexts {
            var logger = Logger(.json, to: file, label: text)
            logger[metadataKey: "job"] = .string(text)
            logger.info("\(text)", metadata: ["key\(text)": .string(text), "list": [.string(text)]], source: text)
        }
        let objects = try file.objects
        try #require(objects.count == hostileTexts.count)
        for (text, object) in zip(hostileTexts, objects) {
            #expect(object["message"] as? String == text)
            #expect(object["label"] as? String == text)
            #expect(object["job"] as? String == text)
            #expect(object["source"] as? String == text)
            let metadata = try #require(object["metadata"] as? [String: Any])
            #expect(metadata["key\(text)"] as? String == text)
            #expect(metadata["list"] as? [String] == [text])
        }
    }

    @Test func `metadata keeps its shape, and numbers and truth values their type`() throws {
        let file = try LogFile()
        Logger(.json, to: file).info(
            "x",
            metadata: [
                "whole": .stringConvertible(12), "part": .stringConvertible(0.5), "yes": .stringConvertible(true),
                "nan": .stringConvertible(Double.nan), "url": .stringConvertible(URL(filePath: "/a")),
                "nested": ["a": ["b", ["c": "d"]], "e": [:]],
            ])
        let metadata = try #require(try file.objects.first?["metadata"] as? [String: Any])
        let expected: [String: Any] = [
            "whole": 12, "part": 0.5, "yes": true, "nan": "NaN", "url": "file:///a",
            "nested": ["a": ["b", ["c": "d"]] as [Any], "e": [String: Any]()] as [String: Any],
        ]
        #expect(NSDictionary(dictionary: metadata) == NSDictionary(dictionary: expected))
        #expect(try file.text.contains("\"yes\":true"))
    }

    @Test func `the statement's metadata stands before the provider's, and that before the logger's`() throws {
        let file = try LogFile()
        var handler = JSONLogHandler(
            label: "x", output: file.output, metadataProvider: .init { ["a": "provider", "b": "provider"] })
        handler.metadata = ["a": "logger", "b": "logger", "c": "logger"]
        let logger = Logger(label: "x") { _ in handler }
        logger.info("m", metadata: ["a": "statement"])
        let metadata = try #require(try file.objects.first?["metadata"] as? [String: String])
        #expect(metadata == ["a": "statement", "b": "provider", "c": "logger"])
    }

    @Test func `an error is told with its type`() throws {
        struct Broken: Error, CustomStringConvertible { var description: String { "it \"broke\"\n" } }
        let file = try LogFile()
        JSONLogHandler(label: "x", output: file.output).log(
            event: LogEvent(
                level: .error, message: "failed", error: Broken(), metadata: nil, source: nil,
                file: "Module/File.swift", function: "f", line: 1))
        let object = try #require(try file.objects.first)
        #expect(object["error"] as? String == "it \"broke\"\n")
        #expect((object["error_type"] as? String)?.hasSuffix("Broken") == true)
        #expect(object["source"] as? String == "Module")
    }

    @Test func `a record within a span names it`() throws {
        let file = try LogFile()
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        var context = ServiceContext.topLevel
        context.spanContext = SpanContext(traceparent: parent)
        ServiceContext.withValue(context) { Logger(.json, to: file).info("within") }
        Logger(.json, to: file).info("without")
        let objects = try file.objects
        #expect(objects.first?["trace_id"] as? String == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(objects.first?["span_id"] as? String == "00f067aa0ba902b7")
        #expect(objects.last?["trace_id"] == nil)
    }

    @Test func `a text that is too long is cut between two characters`() throws {
        let file = try LogFile()
        Logger(.json, to: file).info("\("a" + String(repeating: "é", count: 1 << 20))")
        let message = try #require(try file.objects.first?["message"] as? String)
        #expect(message == "a" + String(repeating: "é", count: 8191) + "…")
    }

    @Test(arguments: LogFormat.allCases)
    func `a handler is a value`(format: LogFormat) throws {
        let file = try LogFile()
        var first = Logger(format, to: file)
        first.logLevel = .debug
        first[metadataKey: "only-on"] = "first"
        var second = first
        second.logLevel = .error
        second[metadataKey: "only-on"] = "second"
        #expect(first.logLevel == .debug && second.logLevel == .error)
        #expect(first[metadataKey: "only-on"] == "first" && second[metadataKey: "only-on"] == "second")
    }
}
