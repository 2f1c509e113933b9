import Foundation
import ProcessTestSupport
import Testing

@testable import JobQueue

/// A Python that has croniter, the second implementation that schedules are compared with.
///
/// Looked for in `KILN_CRONITER_PYTHON`, then in a virtual environment in `.build/croniter`, which
/// `python3 -m venv .build/croniter && .build/croniter/bin/pip install croniter tzdata` makes, then in `/usr`. Version 7
/// or newer: before, results near a change of the clock are wrong in ways of their own (1.3.5, Debian 12's, answers
/// `30 1 * * *` with 02:30 on the day after New York's clocks went back; 6.0 misses ticks, too).
struct Croniter: Sendable {
    let python: String

    static let found: Croniter? = {
        let package = URL(filePath: #filePath).appending(path: "../../../..").standardized
        let candidates: [String?] = [
            ProcessInfo.processInfo.environment["KILN_CRONITER_PYTHON"],
            package.appending(path: ".build/croniter/bin/python").path, "/usr/bin/python3", "/usr/local/bin/python3",
        ]
        for case let python? in candidates where FileManager.default.isExecutableFile(atPath: python) {
            let script = "import croniter, zoneinfo, importlib.metadata as m; print(m.version('croniter'))"
            guard let version = try? run(python, ["-c", script]) as String else { continue }
            if let major = Int(version.prefix { $0.isNumber }), major >= 7 { return Croniter(python: python) }
        }
        return nil
    }()

    struct Question: Codable {
        var expression: String
        var zone: String
        /// Seconds since 1970.
        var start: Int
        var count: Int
        var backwards: Bool
    }

    struct Answer: Codable {
        var ticks: [Int]
        var error: String?
    }

    func answers(to questions: [Question]) throws -> [Answer] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "croniter-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "questions.json")
        try JSONEncoder().encode(questions).write(to: file)
        let output = try Self.run(python, ["-c", Self.script, file.path])
        return try JSONDecoder().decode([Answer].self, from: Data(output.utf8))
    }

    private static let script = """
        import datetime, json, sys, zoneinfo
        from croniter import croniter
        answers = []
        for q in json.load(open(sys.argv[1])):
            ticks, error = [], None
            fields = q["expression"].split()
            if len(fields) == 6:
                fields = fields[1:] + fields[:1]
            try:
                start = datetime.datetime.fromtimestamp(q["start"], zoneinfo.ZoneInfo(q["zone"]))
                cron = croniter(" ".join(fields), start, implement_cron_bug=True)
                step = cron.get_prev if q["backwards"] else cron.get_next
                for _ in range(q["count"]):
                    ticks.append(int(step(datetime.datetime).timestamp()))
            except Exception as problem:
                error = repr(problem)
            answers.append({"ticks": ticks, "error": error})
        json.dump(answers, sys.stdout)
        """

    private struct Failed: Error {}

    private static func run(_ program: String, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        let output = Pipe()
        // A server that another test starts meanwhile would keep it open.
        _ = fcntl(output.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        guard process.waitForOwnEnd() == 0 else { throw Failed() }
        return String(decoding: data, as: UTF8.self)
    }
}

/// Thousands of random schedules against croniter, over decades and changes of the clock.
///
/// Where the two differ on purpose:
///
/// - A named time that comes twice: croniter fires twice, we once, as Vixie cron (nobody wants the nightly report twice).
/// - A time in the gap of an expression with `*` in the minutes or a stepped `*` in the hours: croniter moves it behind
///   the gap, we drop it, as Vixie cron: such an expression follows the clock.
/// - `5-5`: croniter takes it for the whole field, we for 5. `#` and `L5` beside a day of month: croniter takes days
///   that are both, we those that are either. Neither is asked here.
/// - A day field that begins with `*` and has a step: croniter has our (Vixie's) rule as `implement_cron_bug`.
/// - When only half an hour comes twice (Lord Howe), croniter misses some of its ticks, by a mistake: after 01:48, going
///   back 30 minutes, it finds 01:24, which was before, and looks no further.
@Suite(
    .enabled(
        if: Croniter.found != nil,
        "no Python with croniter 7 or newer: python3 -m venv .build/croniter && .build/croniter/bin/pip install croniter tzdata"
    ))
struct CroniterTests {
    private static let zones = [
        "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu", "UTC",
    ]

    @Test func `random schedules equal croniter's, forwards`() throws {
        try compare(count: 3000, backwards: false, seed: 1)
    }

    @Test func `random schedules equal croniter's, backwards`() throws {
        try compare(count: 1500, backwards: true, seed: 2)
    }

    private func compare(count: Int, backwards: Bool, seed: UInt64) throws {
        let croniter = try #require(Croniter.found)
        var random = RandomCron(generator: SeededGenerator(seed), onlyCommonForms: true)
        let questions = (0..<count).map { _ in question(&random, backwards: backwards) }
        let answers = try croniter.answers(to: questions)
        try #require(answers.count == questions.count)
        var compared = 0
        var differing: [String] = []
        for (question, answer) in zip(questions, answers) {
            guard let schedule = try? CronSchedule(question.expression, timeZone: question.zone) else {
                #expect(answer.error != nil, "\(question.expression) is refused here and not by croniter")
                continue
            }
            let theirs = Set(answer.ticks.filter { !differsOnPurpose($0, schedule) })
            guard let last = backwards ? answer.ticks.min() : answer.ticks.max() else {
                // Croniter looks 50 years ahead.
                let start = Date(timeIntervalSince1970: Double(question.start))
                let next = backwards ? schedule.previous(before: start) : schedule.next(after: start)
                #expect(abs(next?.timeIntervalSince(start) ?? .infinity) > 49 * 365 * 86_400, "\(question)")
                continue
            }
            let ours = ticks(of: schedule, from: question.start, through: last, backwards: backwards)
            compared += ours.count
            let only = Set(ours).symmetricDifference(theirs).filter { tick in
                theirs.contains(tick) || !isShownTwiceByHalfAnHour(tick, schedule.timeZone)
            }
            if !only.isEmpty {
                let only = only.sorted().prefix(3).map {
                    "\(ours.contains($0) ? "here" : "there") \(Date(timeIntervalSince1970: Double($0)))"
                }
                differing.append("\(question.expression) in \(question.zone) from \(question.start): \(only)")
            }
        }
        #expect(differing.isEmpty, "\(differing.count): \(differing.prefix(10).joined(separator: "\n"))")
        #expect(compared > count * 5)
    }

    private func question(_ random: inout RandomCron, backwards: Bool) -> Croniter.Question {
        var text = random.next(seconds: random.generator.chance(0.2))
        let zone = Self.zones[random.generator.int(0...Self.zones.count - 1)]
        // 1990 to 2050, whole minutes.
        var start = random.generator.int(631_152_000 / 60...2_524_608_000 / 60) * 60
        if random.generator.chance(0.5), let timeZone = TimeZone(identifier: zone),
            let change = timeZone.nextDaylightSavingTimeTransition(after: Date(timeIntervalSince1970: Double(start)))
        {
            // A day around a change of the clock, with times of the small hours.
            start = Int(change.timeIntervalSince1970) + random.generator.int(-1500...1500) * 60
            let minute = text.split(separator: " ")[text.split(separator: " ").count - 5]
            let hours = ["0", "1", "2", "3", "1,2", "0-3", "*", "*/2", "2,14", "1-2"]
            text = "\(minute) \(hours[random.generator.int(0...hours.count - 1)]) * * *"
        }
        return Croniter.Question(expression: text, zone: zone, start: start, count: 15, backwards: backwards)
    }

    private func ticks(of schedule: CronSchedule, from start: Int, through end: Int, backwards: Bool) -> [Int] {
        var ticks: [Int] = []
        var date = Date(timeIntervalSince1970: Double(start))
        while let next = backwards ? schedule.previous(before: date) : schedule.next(after: date) {
            let tick = Int(next.timeIntervalSince1970)
            guard backwards ? tick >= end : tick <= end else { break }
            ticks.append(tick)
            date = next
        }
        return ticks
    }

    private func offset(_ instant: Int, _ zone: TimeZone) -> Int {
        zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant)))
    }

    private func differsOnPurpose(_ tick: Int, _ schedule: CronSchedule) -> Bool {
        let zone = schedule.timeZone
        let wall = tick + offset(tick, zone)
        if schedule.expression.isIntervalLike {
            return schedule.expression.firstMatch(atOrAfter: wall) != wall
        }
        // Shown before, under the offset of some hours ago?
        let earlier = wall - offset(tick - 6 * 3600, zone)
        return earlier < tick && earlier + offset(earlier, zone) == wall
    }

    private func isShownTwiceByHalfAnHour(_ tick: Int, _ zone: TimeZone) -> Bool {
        let wall = tick + offset(tick, zone)
        return [-1800, 1800].contains { tick + $0 + offset(tick + $0, zone) == wall }
    }
}
