/// What a job takes of a worker while it runs.
struct JobWeight: Sendable, Hashable {
    /// CPU cores; may be a fraction.
    var cores: Double
    /// Bytes.
    var memory: Int64
}

/// Decides which of a worker's claimed jobs may run, and how much more it may claim, so that slots, cores and memory
/// are never handed out twice and no job waits for ever.
///
/// A claimed job starts at once if it fits. One that doesn't is *held*: it waits under the worker's lease, first come
/// first served, and nothing is claimed or started meanwhile, so that room grows until it fits. A job that must run
/// *alone* waits in the same line until nothing else runs, and nothing starts beside it.
///
/// A running job that learns it needs more (``reweigh(_:to:)``) waits too, ahead of those that have not started, keeping
/// what it has. If all that run wait like this, nobody would ever finish: then the one that asked last is released,
/// until the first fits.
///
/// Cores above the worker's total count as the total: such a job may start when it has all of them to itself. Memory
/// above the total cannot be had here: the job is released for a bigger worker.
struct Admission<ID: Hashable & Sendable>: Sendable {
    enum Action: Sendable, Hashable {
        /// Run its handler.
        case start(ID, alone: Bool)
        /// The heavier weight that it waited for is its own now: its handler goes on.
        case granted(ID)
        /// Hand it back to the queue free of charge. If it runs, its handler must be stopped first; its weight counts
        /// until ``finished(_:)``.
        case release(ID)
    }

    /// What may be claimed now.
    struct Allowance: Sendable, Hashable {
        /// Jobs; 0 while claiming is suspended.
        var jobs: Int
        var cores: Double
        /// Bytes.
        var memory: Int64
        /// Whether the worker holds and runs nothing, so that it may be given a job that must run alone.
        var isIdle: Bool
    }

    let slots: Int
    /// What there is in all.
    let total: JobWeight

    private struct Running: Sendable {
        var millicores: Int
        var memory: Int64
        var alone: Bool
        var released = false
    }

    private struct Waiting: Sendable {
        var id: ID
        var millicores: Int
        var memory: Int64
        var alone = false
    }

    private let totalMillicores: Int
    private var running: [ID: Running] = [:]
    private var usedMillicores = 0
    private var usedMemory: Int64 = 0
    /// Running jobs that wait for a heavier weight (the whole of it, not the difference), in line.
    private var raises: [Waiting] = []
    /// Jobs that are claimed and not started, in line.
    private var held: [Waiting] = []
    private var draining = false

    init(slots: Int, cores: Double, memory: Int64) {
        self.slots = max(1, slots)
        totalMillicores = max(1, Self.millicores(cores))
        total = JobWeight(cores: Double(totalMillicores) / 1000, memory: max(0, memory))
    }

    /// How many handlers run (released ones that haven't stopped yet included).
    var runningCount: Int { running.count }
    /// How many claimed jobs wait for their start.
    var heldCount: Int { held.count }
    var used: JobWeight { JobWeight(cores: Double(usedMillicores) / 1000, memory: usedMemory) }
    /// Whether nothing is claimed until a waiting job got what it waits for.
    var isSuspended: Bool {
        draining || !held.isEmpty || !raises.isEmpty || running.values.contains { $0.alone }
    }

    var allowance: Allowance {
        let isIdle = running.isEmpty && held.isEmpty && !draining
        guard !isSuspended else { return Allowance(jobs: 0, cores: 0, memory: 0, isIdle: isIdle) }
        return Allowance(
            jobs: max(0, slots - running.count), cores: Double(totalMillicores - usedMillicores) / 1000,
            memory: total.memory - usedMemory, isIdle: isIdle)
    }

    /// A claimed job has come.
    mutating func arrived(_ id: ID, weight: JobWeight, alone: Bool = false) -> [Action] {
        let memory = max(0, weight.memory)
        guard !draining, memory <= total.memory else { return [.release(id)] }
        guard running[id] == nil, !held.contains(where: { $0.id == id }) else { return [] }
        held.append(Waiting(id: id, millicores: clamped(weight.cores), memory: memory, alone: alone))
        return settle()
    }

    /// A handler has ended, however it did; or a held job was given up (cancelled, say).
    mutating func finished(_ id: ID) -> [Action] {
        raises.removeAll { $0.id == id }
        held.removeAll { $0.id == id }
        if let job = running.removeValue(forKey: id) {
            usedMillicores -= job.millicores
            usedMemory -= job.memory
        }
        return settle()
    }

    /// A running job has found out what it really takes. Less is granted at once; more when it is free, and until then
    /// its handler waits.
    mutating func reweigh(_ id: ID, to weight: JobWeight) -> [Action] {
        guard let job = running[id] else { return [] }
        guard !job.released else { return [.release(id)] }
        raises.removeAll { $0.id == id }
        let memory = max(0, weight.memory)
        guard !draining, memory <= total.memory else { return [release(id)] + settle() }
        let wanted = Waiting(id: id, millicores: clamped(weight.cores), memory: memory)
        if wanted.millicores <= job.millicores, wanted.memory <= job.memory {
            return [grant(wanted)] + settle()
        }
        raises.append(wanted)
        return settle()
    }

    /// A running job no longer wants the heavier weight that it waits for, and keeps what it has.
    mutating func withdraw(_ id: ID) -> [Action] {
        raises.removeAll { $0.id == id }
        return settle()
    }

    /// The worker shuts down: nothing starts any more. What waits is handed back.
    mutating func drain() -> [Action] {
        draining = true
        let waiting = held.map { Action.release($0.id) }
        held = []
        return waiting + raises.map(\.id).map { release($0) }
    }

    /// Serves the two lines as far as it goes: running jobs that want more first, as they hold what others wait for.
    private mutating func settle() -> [Action] {
        var actions: [Action] = []
        while let first = raises.first, let job = running[first.id] {
            if fits(first.millicores - job.millicores, first.memory - job.memory) {
                raises.removeFirst()
                actions.append(grant(first))
            } else if raises.count > 1, running.count == raises.count, let last = raises.last {
                actions.append(release(last.id))
            } else {
                // Someone runs on, or stops after having been released, and will make room.
                break
            }
        }
        guard !draining, raises.isEmpty else { return actions }
        while let first = held.first, running.count < slots, fits(first.millicores, first.memory),
            running.isEmpty || !first.alone, !running.values.contains(where: { $0.alone })
        {
            held.removeFirst()
            running[first.id] = Running(millicores: first.millicores, memory: first.memory, alone: first.alone)
            usedMillicores += first.millicores
            usedMemory += first.memory
            actions.append(.start(first.id, alone: first.alone))
        }
        return actions
    }

    private mutating func grant(_ wanted: Waiting) -> Action {
        if var job = running[wanted.id] {
            usedMillicores += wanted.millicores - job.millicores
            usedMemory += wanted.memory - job.memory
            (job.millicores, job.memory) = (wanted.millicores, wanted.memory)
            running[wanted.id] = job
        }
        return .granted(wanted.id)
    }

    private mutating func release(_ id: ID) -> Action {
        raises.removeAll { $0.id == id }
        running[id]?.released = true
        return .release(id)
    }

    private func fits(_ millicores: Int, _ memory: Int64) -> Bool {
        millicores <= totalMillicores - usedMillicores && memory <= total.memory - usedMemory
    }

    private func clamped(_ cores: Double) -> Int { min(Self.millicores(cores), totalMillicores) }

    /// Whole thousandths, so that sums stay exact; rounded to the nearest, as 0.1 is no exact Double. 0 for NaN.
    private static func millicores(_ cores: Double) -> Int {
        guard cores > 0 else { return 0 }
        return Int(min(cores, 1e6) * 1000 + 0.5)
    }
}
