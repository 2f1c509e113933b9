/// Checks an ASS or SSA script before libass gets it, and mends what libass would silently drop.
///
/// The script stays as it is written; libass reads its styles and override tags.
struct ASSParser {
    let limits: SubtitleLimits
    let name: String

    func parse(_ text: String, _ warnings: inout SubtitleWarnings) throws(MediaError) -> ASSScript {
        var sections = ASSSections(text)
        guard sections.lines.contains(where: { $0.section == .events }) else {
            throw MediaError(.badInput, "the script has no [Events] section", input: name)
        }
        var startField = 1
        var fieldCount = 10
        var events = 0
        var kept: [ASSSections.Line] = []
        kept.reserveCapacity(sections.lines.count)
        for line in sections.lines {
            guard line.section == .events else {
                kept.append(line)
                continue
            }
            if let format = line.value(of: "format") {
                let names = ASSSections.fieldNames(format)
                startField = names.firstIndex(of: "start") ?? startField
                fieldCount = names.count
            }
            guard let value = line.value(of: "dialogue") else {
                kept.append(line)
                continue
            }
            switch mended(value, startField: startField, fieldCount: fieldCount) {
            case .success(let mended):
                var line = line
                if let mended {
                    line.text = "Dialogue: " + mended
                    warnings.add(line.number, "a colon before the hundredths: read as a dot")
                }
                kept.append(line)
                events += 1
                if events > limits.cues { throw limits.exceeded("more than \(limits.cues) cues", name: name) }
            case .failure(let problem): warnings.add(line.number, problem.message)
            }
        }
        guard events > 0 else {
            throw MediaError(.badInput, "the script has no usable cue", hint: "see the warnings", input: name)
        }
        sections.lines = kept
        return ASSScript(header: sections.text)
    }

    private struct Problem: Error {
        var message: String
    }

    /// The fields after `Dialogue:`, if they had to be changed; `nil` in success where all is well.
    private func mended(_ value: Substring, startField: Int, fieldCount: Int) -> Result<Substring?, Problem> {
        var fields = value.split(
            separator: ",", maxSplits: max(fieldCount - 1, 1), omittingEmptySubsequences: false)
        guard fields.count == fieldCount, startField + 1 < fields.count else {
            return .failure(Problem(message: "an event with too few fields: skipped"))
        }
        guard let start = ASSParser.time(fields[startField]), let end = ASSParser.time(fields[startField + 1]) else {
            return .failure(Problem(message: "an event whose times are not h:mm:ss.cc: skipped"))
        }
        guard end.hundredths > start.hundredths else {
            return .failure(Problem(message: "the event does not end after it starts: skipped"))
        }
        guard start.mended != nil || end.mended != nil else { return .success(nil) }
        if let mended = start.mended { fields[startField] = Substring(mended) }
        if let mended = end.mended { fields[startField + 1] = Substring(mended) }
        return .success(Substring(fields.joined(separator: ",")))
    }

    /// A time in hundredths of a second, with the text that libass would understand where it does not this one
    /// (`0:00:01:50`).
    static func time(_ text: Substring) -> (hundredths: Int64, mended: String?)? {
        let trimmed = text.utf8.filter { $0 != 0x20 && $0 != 0x09 }
        var digits: [[UInt8]] = [[]]
        var separators: [UInt8] = []
        for byte in trimmed {
            if (0x30...0x39).contains(byte) {
                digits[digits.count - 1].append(byte)
            } else {
                separators.append(byte)
                digits.append([])
            }
        }
        let colon = UInt8(ascii: ":")
        guard separators.count == 3, separators[0] == colon, separators[1] == colon,
            separators[2] == colon || separators[2] == UInt8(ascii: "."),
            digits.allSatisfy({ (1...4).contains($0.count) })
        else { return nil }
        let numbers = digits.compactMap { Int64($0[...].string) }
        guard numbers.count == 4 else { return nil }
        let hundredths = ((numbers[0] * 60 + numbers[1]) * 60 + numbers[2]) * 100 + numbers[3]
        guard separators[2] == colon else { return (hundredths, nil) }
        let fields = digits.map { $0[...].string }
        return (hundredths, fields.prefix(3).joined(separator: ":") + "." + fields[3])
    }
}
