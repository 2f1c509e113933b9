import Testing

@testable import MediaKit

@Suite("The core budget")
struct CoreBudgetTests {
    @Test(
        "reads a cgroup's quota, rounded up",
        arguments: [
            ("max 100000\n", nil), ("200000 100000\n", 2), ("150000 100000", 2), ("50000 100000", 1),
            ("1000 100000", 1),
            ("", nil), ("max", nil), ("100000", nil), ("a b", nil), ("-1 100000", nil), ("100000 0", nil),
        ])
    func quota(text: String, cores: Int?) {
        #expect(CoreBudget.cores(inCPUMax: text) == cores)
    }

    @Test("is at least one core and divides them among stages")
    func bounds() {
        #expect(CoreBudget(cores: 0).cores == 1)
        #expect(CoreBudget(cores: -5).encoderThreads == 1)
        #expect(CoreBudget(cores: 100_000).cores == 256)
        #expect(CoreBudget(cores: 2).encoderThreads == 3)
        #expect(CoreBudget(cores: 64).decoderThreads <= 8)
        #expect(CoreBudget.process.cores >= 1)
    }
}
