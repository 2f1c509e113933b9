import Foundation
import Testing

@testable import JobQueue

@Suite(.serialized) struct ScheduleTests {
    @Test(arguments: [
        ("* * * *", "4 fields"), ("", "0 fields"), ("61 * * * *", "minute must be 0 to 59"), ("* * * foo *", "no name"),
        ("*/0 * * * *", "step of 0"), ("5-1 * * * *", "backwards"), ("@often", "shorthand"), ("0 0 31 2 *", "no such day"),
        ("0 0 31 apr,jun *", "no such day"), ("* * * * mon-xyz", "no name"), ("a b c d e", "cannot be read"), ("0 24 * * *", "hour"),
    ])
    func `a cron line that cannot be is refused`(line: String, why: String) async throws {
        let bench = try await QueueBench()
        let error = await bench.error("SELECT kiln.schedule('s', $1, 'UTC', 'a')", line)
        #expect(error?.sqlState == "22023")
        #expect(error?.message.contains(why) == true, "\(error?.message ?? "")")
        #expect(error?.hint?.isEmpty == false)
    }

    @Test func `cron lines that can be are taken, other arguments are checked`() async throws {
        let bench = try await QueueBench()
        for line in ["* * * * *", "*/5 1-3,7 * jan-mar MON-FRI", "0 */10 * * * *", "@daily", " 0 0  * * 5-7 ", "0 0 29 2 *", "0 0 * * fri-sun"] {
            try await bench.run("SELECT kiln.schedule('s', $1, 'Europe/Berlin', 'a')", line)
        }
        for (arguments, why) in [
            ("'s', '@daily', 'Mars/X', 'a'", "timezone"), ("'s', '@daily', 'UTC'", "kind"), ("'', '@daily', 'UTC', 'a'", "name"),
            ("'s', '@daily', 'UTC', 'a', missed => 'some'", "missed"), ("'s', '@daily', 'UTC', 'a', options => '[]'", "options"),
            ("'s', '@daily', 'UTC', 'a', options => '{\"prio\": 1}'", "prio"),
            ("'s', '@daily', 'UTC', 'a', options => '{\"max_attempts\": 0}'", "max_attempts"),
        ] {
            let error = await bench.error("SELECT kiln.schedule(\(arguments))")
            #expect(error?.sqlState == "22023" && error?.message.contains(why) == true, "\(arguments)")
        }
        #expect(try await bench.value("SELECT kiln.unschedule('s')"))
        #expect(try await !bench.value("SELECT kiln.unschedule('s')"))
    }

    @Test func `a tick fires once, whoever comes first, with the schedule's options`() async throws {
        let bench = try await QueueBench()
        try await bench.run(
            "SELECT kiln.schedule('s', '* * * * *', 'UTC', 'a', '{\"p\": 1}', '{\"priority\": 4, \"queue\": \"q\", \"metadata\": {\"m\": 1}}')")
        try await bench.run("UPDATE kiln.schedule SET settled_until = '2020-01-01Z'")
        let revision: Int = try await bench.value("SELECT revision FROM kiln.worker_schedules()")
        let fired = try await withThrowingTaskGroup(of: [UUID].self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let session = try await bench.another()
                    var ids: [UUID] = []
                    for minute in 1...5 {
                        let id: UUID? = try await session.value(
                            "SELECT kiln.worker_fire('s', $1, '2020-01-01 00:0\(minute)Z', '2020-01-01 00:0\(minute + 1)Z')", revision)
                        if let id { ids.append(id) }
                    }
                    return ids
                }
            }
            return try await group.reduce([], +)
        }
        #expect(Set(fired).count == fired.count)
        #expect(try await bench.value("SELECT count(*) FROM kiln.jobs", as: Int.self) == fired.count)
        #expect(try await bench.value("SELECT count(DISTINCT metadata ->> 'tick') FROM kiln.jobs", as: Int.self) == fired.count)
        let job: String = try await bench.value("SELECT row(queue, priority, payload, metadata ->> 'm', metadata ->> 'schedule')::text FROM kiln.jobs LIMIT 1")
        #expect(job == #"(q,4,"{""p"": 1}",1,s)"#)
        // The last tick is settled: nothing before it fires any more.
        #expect(try await bench.value("SELECT settled_until = '2020-01-01 00:05Z' AND last_tick = settled_until AND last_job IS NOT NULL FROM kiln.schedule"))
    }

    @Test func `ticks of another revision, to come, of a paused schedule, or settled without a job do not fire`() async throws {
        let bench = try await QueueBench()
        try await bench.run("SELECT kiln.schedule('s', '* * * * *', 'UTC', 'a')")
        try await bench.run("UPDATE kiln.schedule SET settled_until = '2020-01-01Z'")
        func fire(_ revision: Int, _ tick: String, enqueue: Bool = true) async throws -> Bool {
            try await bench.value(
                "SELECT kiln.worker_fire('s', $1, $2::timestamptz, NULL, $3) IS NOT NULL", revision, tick, enqueue)
        }
        #expect(try await !fire(2, "2020-01-02Z"))
        #expect(try await !fire(1, "2100-01-02Z"))
        #expect(try await !fire(1, "2020-01-03Z", enqueue: false))
        #expect(try await !fire(1, "2020-01-02Z"))
        #expect(try await fire(1, "2020-01-04Z"))
        #expect(try await bench.value("SELECT kiln.worker_plan('s', 1, '2030-01-01Z')"))
        #expect(try await !bench.value("SELECT kiln.worker_plan('s', 1, '2030-01-01Z')"))
        #expect(try await !bench.value("SELECT kiln.worker_plan('s', 9, '2031-01-01Z')"))
        #expect(try await bench.value("SELECT next_tick = '2030-01-01Z' FROM kiln.worker_schedules()"))
        // The same plan again keeps what was settled; another begins now, and has missed nothing.
        try await bench.run("SELECT kiln.schedule('s', '* * * * *', 'UTC', 'b')")
        #expect(try await bench.value("SELECT settled_until = '2020-01-04Z' AND revision = 2 FROM kiln.worker_schedules()"))
        try await bench.run("SELECT kiln.schedule('s', '* * * * *', 'UTC', 'b', paused => true)")
        #expect(try await bench.values("SELECT name FROM kiln.worker_schedules()", as: String.self) == [])
        #expect(try await !fire(3, "2020-01-05Z"))
        try await bench.run("SELECT kiln.schedule('s', '* * * * *', 'UTC', 'b')")
        #expect(try await bench.value("SELECT settled_until > '2026-01-01Z' AND next_tick IS NOT NULL FROM kiln.worker_schedules()"))
        try await bench.run("SELECT kiln.schedule('s', '@daily', 'UTC', 'b')")
        #expect(try await bench.value("SELECT next_tick IS NULL FROM kiln.worker_schedules()"))
    }
}
