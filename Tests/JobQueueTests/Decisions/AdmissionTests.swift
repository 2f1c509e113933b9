import Testing

@testable import JobQueue

struct AdmissionTests {
    private typealias Machine = Admission<Int>

    private func machine(slots: Int = 4, cores: Double = 4, memory: Int64 = 1000) -> Machine {
        Machine(slots: slots, cores: cores, memory: memory)
    }

    private func weight(_ cores: Double, _ memory: Int64 = 0) -> JobWeight { JobWeight(cores: cores, memory: memory) }

    @Test func `jobs that fit start at once and the allowance is what's left`() {
        var machine = machine()
        #expect(machine.allowance == .init(jobs: 4, cores: 4, memory: 1000, isIdle: true))
        #expect(machine.arrived(1, weight: weight(1.5, 300)) == [.start(1, alone: false)])
        #expect(machine.allowance == .init(jobs: 3, cores: 2.5, memory: 700, isIdle: false))
        #expect(machine.finished(1) == [])
        #expect(machine.allowance == .init(jobs: 4, cores: 4, memory: 1000, isIdle: true))
    }

    @Test func `ten tenths are one`() {
        var machine = machine(slots: 20, cores: 1)
        for id in 1...10 { #expect(machine.arrived(id, weight: weight(0.1)) == [.start(id, alone: false)]) }
        #expect(machine.allowance.cores == 0)
        #expect(machine.arrived(11, weight: weight(0.1)) == [])
    }

    @Test func `a job too big for now suspends claims until it starts, and later ones stay behind it`() {
        var machine = machine()
        for id in 1...2 { _ = machine.arrived(id, weight: weight(1)) }
        #expect(machine.arrived(3, weight: weight(4)) == [])
        #expect(machine.allowance == .init(jobs: 0, cores: 0, memory: 0, isIdle: false))
        #expect(machine.arrived(4, weight: weight(1)) == [])
        #expect(machine.finished(1) == [])
        #expect(machine.finished(2) == [.start(3, alone: false)])
        #expect(machine.isSuspended)
        #expect(machine.finished(3) == [.start(4, alone: false)])
        #expect(machine.allowance.jobs == 3)
    }

    @Test func `a job for more cores than there are runs on all of them, one for too much memory goes elsewhere`() {
        var machine = machine()
        #expect(machine.arrived(1, weight: weight(64)) == [.start(1, alone: false)])
        #expect(machine.used.cores == 4)
        #expect(machine.arrived(2, weight: weight(0, 1001)) == [.release(2)])
        #expect(machine.heldCount == 0)
    }

    @Test func `a job that no longer wants more makes way for those behind it`() {
        var machine = machine()
        for id in 1...2 { _ = machine.arrived(id, weight: weight(1)) }
        #expect(machine.reweigh(1, to: weight(4)) == [])
        #expect(machine.arrived(3, weight: weight(1)) == [])
        #expect(machine.withdraw(1) == [.start(3, alone: false)])
        #expect(machine.used.cores == 3)
    }

    @Test func `a job that must run alone waits for all, and nothing starts beside it`() {
        var machine = machine()
        _ = machine.arrived(1, weight: weight(1))
        #expect(machine.arrived(2, weight: weight(1), alone: true) == [])
        #expect(machine.finished(1) == [.start(2, alone: true)])
        #expect(machine.allowance.jobs == 0)
        #expect(machine.arrived(3, weight: weight(1)) == [])
        #expect(machine.finished(2) == [.start(3, alone: false)])
    }

    @Test func `a running job may become lighter at once, heavier when there is room`() {
        var machine = machine()
        _ = machine.arrived(1, weight: weight(2, 500))
        _ = machine.arrived(2, weight: weight(2, 500))
        #expect(machine.reweigh(1, to: weight(1, 100)) == [.granted(1)])
        #expect(machine.allowance == .init(jobs: 2, cores: 1, memory: 400, isIdle: false))
        #expect(machine.reweigh(1, to: weight(3, 100)) == [])
        #expect(machine.allowance.jobs == 0)
        #expect(machine.arrived(3, weight: weight(0.5)) == [], "it must not take what the first waits for")
        #expect(machine.finished(2) == [.granted(1), .start(3, alone: false)])
        #expect(machine.used.cores == 3.5)
    }

    @Test func `of running jobs that wait for each other the last to ask is released`() {
        var machine = machine()
        _ = machine.arrived(1, weight: weight(2))
        _ = machine.arrived(2, weight: weight(2))
        #expect(machine.reweigh(1, to: weight(3)) == [])
        #expect(machine.reweigh(2, to: weight(3)) == [.release(2)])
        #expect(machine.used.cores == 4, "until its handler has stopped")
        #expect(machine.finished(2) == [.granted(1)])
    }

    @Test func `a drain hands back what waits and starts nothing more`() {
        var machine = machine()
        _ = machine.arrived(1, weight: weight(4))
        _ = machine.arrived(2, weight: weight(4))
        #expect(machine.drain() == [.release(2)])
        #expect(machine.arrived(3, weight: weight(1)) == [.release(3)])
        #expect(machine.finished(1) == [])
        #expect(machine.allowance == .init(jobs: 0, cores: 0, memory: 0, isIdle: false))
    }

    @Test func `weights that make no sense do no harm`() {
        var machine = Machine(slots: 0, cores: .nan, memory: -5)
        #expect(machine.arrived(1, weight: weight(.nan, -7)) == [.start(1, alone: false)])
        #expect(machine.reweigh(9, to: weight(1)) == [])
        #expect(machine.finished(9) == [])
        #expect(machine.arrived(1, weight: weight(1)) == [], "it runs already")
        #expect(machine.reweigh(1, to: weight(.infinity, 0)) == [.granted(1)])
        #expect(machine.finished(1) == [])
    }

    @Test func `whatever happens, nothing is handed out twice and everybody gets their turn`() {
        for seed in 0..<100 {
            var run = AdmissionRun(seed: UInt64(seed))
            run.play(events: 150)
            run.finishAll()
        }
    }
}

/// Random events against an admission, with the books kept a second time.
private struct AdmissionRun {
    private var generator: SeededGenerator
    private var machine: Admission<Int>
    private let slots: Int
    private let cores: Double
    private let memory: Int64
    private var running: [Int: JobWeight] = [:]
    private var alone: Set<Int> = []
    private var line: [Int] = []
    private var asked: [Int: JobWeight] = [:]
    private var raising: [Int: JobWeight] = [:]
    private var next = 0

    init(seed: UInt64) {
        generator = SeededGenerator(seed)
        slots = generator.int(1...8)
        cores = Double(generator.int(1...16)) / 2
        memory = Int64(generator.int(0...1000))
        machine = Admission(slots: slots, cores: cores, memory: memory)
    }

    private mutating func randomWeight() -> JobWeight {
        JobWeight(cores: Double(generator.int(0...40)) / 4, memory: Int64(generator.int(0...Int(memory) + 20)))
    }

    mutating func play(events: Int) {
        for _ in 0..<events {
            switch generator.int(0...9) {
            case 0...4:
                next += 1
                let weight = randomWeight()
                asked[next] = weight
                line.append(next)
                let isAlone = generator.chance(0.1)
                if isAlone { alone.insert(next) }
                take(machine.arrived(next, weight: weight, alone: isAlone))
            case 5...7: finishOne()
            case 8:
                guard let id = running.keys.sorted().randomElement(using: &generator), raising[id] == nil else { break }
                let weight = randomWeight()
                raising[id] = weight
                take(machine.reweigh(id, to: weight))
            default:
                // A job that waits is cancelled.
                guard let id = line.randomElement(using: &generator) else { break }
                line.removeAll { $0 == id }
                take(machine.finished(id))
            }
        }
    }

    /// Those that wait for more don't finish by themselves.
    private mutating func finishOne() {
        let able = running.keys.filter { raising[$0] == nil }.sorted()
        guard let id = able.randomElement(using: &generator) else {
            #expect(running.isEmpty, "all wait for each other")
            return
        }
        running[id] = nil
        take(machine.finished(id))
    }

    mutating func finishAll() {
        var rounds = 0
        while !running.isEmpty, rounds < 1000 {
            finishOne()
            rounds += 1
        }
        #expect(running.isEmpty && line.isEmpty, "somebody never had a turn")
        #expect(machine.allowance == .init(jobs: slots, cores: cores, memory: memory, isIdle: true))
    }

    private mutating func take(_ actions: [Admission<Int>.Action]) {
        for action in actions {
            switch action {
            case .start(let id, let isAlone):
                #expect(line.first == id, "out of turn")
                #expect(isAlone == alone.contains(id))
                line.removeAll { $0 == id }
                running[id] = asked[id]
            case .granted(let id):
                running[id] = raising.removeValue(forKey: id)
            case .release(let id):
                if line.contains(id) {
                    #expect((asked[id]?.memory ?? 0) > memory, "only what can never fit is sent away")
                    line.removeAll { $0 == id }
                } else {
                    #expect(raising.removeValue(forKey: id) != nil)
                }
            }
        }
        let usedCores = running.values.map { min($0.cores, cores) }.reduce(0, +)
        let usedMemory = running.values.map(\.memory).reduce(0, +)
        #expect(running.count <= slots && usedCores <= cores && usedMemory <= memory)
        #expect(machine.used == JobWeight(cores: usedCores, memory: usedMemory))
        #expect(running.count == 1 || alone.isDisjoint(with: running.keys))
        let allowance = machine.allowance
        if allowance.jobs > 0 {
            #expect(line.isEmpty && raising.isEmpty)
            #expect(allowance.jobs == slots - running.count && allowance.cores == cores - usedCores)
            #expect(allowance.memory == memory - usedMemory)
        }
    }
}
