import Foundation
import Locking
import Logging
import Testing
import TransferTestSupport

@testable import Telemetry

@Suite struct LogOutputTests {
    /// Both ends, which are closed with it.
    private final class Channel: Sendable {
        let reading, writing: Int32

        init() throws {
            var ends: [Int32] = [0, 0]
            try #require(pipe(&ends) == 0)
            (reading, writing) = (ends[0], ends[1])
        }

        deinit {
            close(reading)
            close(writing)
        }

        /// Up to and with the end of so many lines.
        func lines(_ count: Int) -> [String] {
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 64 << 10)
            var ends = 0
            while ends < count {
                let length = read(reading, &chunk, chunk.count)
                guard length > 0 else { break }
                ends += chunk[..<length].count { $0 == 10 }
                bytes += chunk[..<length]
            }
            return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }

    @Test func `records of many threads are never mixed up, however long they are`() async throws {
        let channel = try Channel()
        let output = LogOutput(descriptor: channel.writing)
        let writers = 6
        let each = 100
        async let read = BlockingThread.run { channel.lines(writers * each) }
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<writers {
                group.addTask {
                    let logger = Logger(label: "\(writer)") { LogFormat.json.handler(label: $0, output: output) }
                    // Longer than what a pipe takes at once without a lock.
                    for number in 0..<each {
                        logger.info("\(String(repeating: "\(writer)", count: 5000)) \(number)")
                    }
                }
            }
        }
        var next = [Int](repeating: 0, count: writers)
        for line in try await read {
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let writer = try #require((object["label"] as? String).flatMap { Int($0) })
            #expect(object["message"] as? String == "\(String(repeating: "\(writer)", count: 5000)) \(next[writer])")
            next[writer] += 1
        }
        #expect(next == [Int](repeating: each, count: writers))
        #expect(output.droppedRecords == 0)
    }

    @Test func `where nobody reads, a record is dropped and counted, and the next begins a line`() async throws {
        let channel = try Channel()
        try #require(fcntl(channel.writing, F_SETFL, O_NONBLOCK) == 0)
        let output = LogOutput(descriptor: channel.writing)
        let logger = Logger(label: "x") { LogFormat.json.handler(label: $0, output: output) }
        let long = String(repeating: "a", count: 10_000)
        // More than a pipe holds.
        while output.droppedRecords == 0 { logger.info("\(long)") }
        var drained = [UInt8](repeating: 0, count: 1 << 20)
        let held = read(channel.reading, &drained, drained.count)
        try #require(held > 0 && held < drained.count)
        logger.info("again")
        let rest = channel.lines(drained[held - 1] == 10 ? 1 : 2)
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data((rest.last ?? "").utf8)) as? [String: Any])
        #expect(object["message"] as? String == "again")
        #expect(output.droppedRecords == 1)
    }

    @Test func `a terminal shows colours, unless it cannot or should not`() throws {
        // The end of a pseudoterminal that its program holds is one, too.
        let terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        try #require(terminal >= 0)
        defer { close(terminal) }
        #expect(LogOutput.isColourful(terminal, terminal: "xterm", noColour: nil))
        #expect(LogOutput.isColourful(terminal, terminal: nil, noColour: ""))
        #expect(!LogOutput.isColourful(terminal, terminal: "xterm", noColour: "1"))
        #expect(!LogOutput.isColourful(terminal, terminal: "dumb", noColour: nil))
        let channel = try Channel()
        #expect(!LogOutput.isColourful(channel.writing, terminal: "xterm", noColour: nil))
    }

    @Test func `an output that is closed does no harm`() {
        let output = LogOutput(descriptor: -1)
        Logger(label: "x") { LogFormat.text.handler(label: $0, output: output) }.info("lost")
        #expect(output.droppedRecords == 1)
    }
}
