import CAVShim

/// How the process as a whole deals with memory.
public enum ProcessMemory {
    /// Makes threads share a heap per core, two at least, instead of glibc's eight per core.
    ///
    /// Each job runs on threads of its own. With a heap for every one of them, what a job has freed stays in heaps
    /// that the next job's threads do not take from, and a process that carries out many jobs grows. This is for
    /// programs to call before they start a thread; a library must not decide it. `MALLOC_ARENA_MAX` in the
    /// environment does the same.
    public static func shareHeaps() { cav_limit_arenas(Int32(max(2, CoreBudget.process.cores))) }
}
