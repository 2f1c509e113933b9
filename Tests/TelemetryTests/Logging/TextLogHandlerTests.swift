import Logging
import Testing

@testable import Telemetry

@Suite struct TextLogHandlerTests {
    /// Without the time in front.
    private func line(_ file: LogFile) throws -> String {
        let line = try #require(try file.lines.first)
        let match = try #require(line.prefixMatch(of: #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /#))
        return String(line[match.range.upperBound...])
    }

    @Test func `a record is a line that people can read`() throws {
        let file = try LogFile()
        var logger = Logger(.text, to: file, label: "kiln.worker")
        logger[metadataKey: "job"] = "0199"
        logger.info(
            "it's done",
            metadata: ["note": "a b", "empty": "", "q": "say \"hi\"", "n": ["k": "v", "l": ["1", "2 3"]]])
        #expect(
            try line(file)
                == #"INFO  kiln.worker: it's done  empty="" job=0199 n={k=v, l=[1, "2 3"]} note="a b" q="say \"hi\"""#)
    }

    @Test func `no text can look like another line, or reach the terminal as a command`() throws {
        let file = try LogFile()
        for text in hostileTexts {
            var logger = Logger(.text, to: file, label: text)
            logger[metadataKey: text] = .string(text)
            logger.info("\(text)", metadata: ["nested": [text: .string(text)]])
        }
        #expect(try file.lines.count == hostileTexts.count)
        let controls = try file.text.unicodeScalars.filter { $0.properties.generalCategory == .control && $0 != "\n" }
        #expect(controls.isEmpty)
        #expect(try file.text.contains(#"\u{1b}[31mred"#))
        #expect(try file.text.contains("é日本🎬👩‍👩‍👧"))
    }

    @Test(arguments: zip(Logger.Level.allCases, ["TRACE", "DEBUG", "INFO ", "NOTE ", "WARN ", "ERROR", "FATAL"]))
    func `levels have colours where the output shows them, and else none`(level: Logger.Level, name: String) throws {
        let plain = try LogFile()
        Logger(.text, to: plain).log(level: level, "m")
        #expect(try line(plain) == "\(name) test: m")
        let colourful = try LogFile(showsColours: true)
        Logger(.text, to: colourful).log(level: level, "m")
        let text = try line(colourful)
        #expect(text.hasPrefix("\u{1B}["))
        #expect(text.hasSuffix("m\(name)\u{1B}[0m test: m"))
    }

    @Test func `a file shows no colours`() throws {
        #expect(try !LogFile().output.showsColours)
    }
}
