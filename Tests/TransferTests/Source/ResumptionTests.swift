import Testing

@testable import Transfer

@Suite struct ResumptionTests {
    private var generator = SplitMix(seed: 1)
    private let lost = TransferError(.connectionLost, "the connection was lost")

    @Test mutating func `a connection that breaks again and again is given up, unless it brings something`() {
        var resumption = Resumption()
        var attempts = 0
        while attempts < 100, resumption.delay(after: lost, received: 1000, using: &generator) != nil { attempts += 1 }
        #expect(attempts == 4)
        var patient = Resumption()
        for _ in 0..<100 { #expect(patient.delay(after: lost, received: 70_000, using: &generator) != nil) }
    }

    @Test mutating func `one that brings nothing was tried by the client already`() {
        var resumption = Resumption()
        #expect(resumption.delay(after: lost, received: 0, using: &generator) != nil)
        #expect(resumption.delay(after: lost, received: 0, using: &generator) != nil)
        #expect(resumption.delay(after: lost, received: 0, using: &generator) == nil)
    }

    @Test mutating func `what a retry cannot mend is not tried again`() {
        for error in [
            TransferError(.changed, "x"), TransferError(.status, "x", status: 503, isRetryable: true),
            TransferError(.cancelled, "x"),
        ] {
            var resumption = Resumption()
            #expect(resumption.delay(after: error, received: 1 << 20, using: &generator) == nil)
        }
        var resumption = Resumption()
        #expect(resumption.delay(after: CancellationError(), received: 1 << 20, using: &generator) == nil)
    }
}
