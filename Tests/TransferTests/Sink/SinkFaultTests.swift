import ByteIO
import Locking
import Testing
import Transfer
import TransferTestSupport

@Suite(.timeLimit(.minutes(2))) struct SinkFaultTests {
    private static let part = SinkBench.partSize

    static let passing: [(String, S3Fault)] = [
        ("500", .status(500, code: "InternalError")),
        ("503", .status(503, code: "SlowDown", headers: ["retry-after-ms": "5"])),
        ("a reset", .reset),
        ("a reset amid the part", .resetUpload(after: 10_000)),
        ("an answer that is lost", .loseAnswer),
        ("no answer", .silence),
    ]

    @Test(arguments: passing.indices)
    func `a part that fails is sent again, alone`(index: Int) async throws {
        let content = SourceBench.bytes(6 * Self.part)
        let server = try SinkBench.server { request in
            request.operation == .uploadPart && request.index == 2 ? Self.passing[index].1 : nil
        }
        let sink = try await SinkBench.sink(server)
        try await onThread {
            try sink.write(content)
            try sink.finish()
        }
        #expect(server.bytes("out.mp4") == content)
        #expect(server.requests(.uploadPart).count == 7)
        #expect(server.uploads.isEmpty)
    }

    @Test(arguments: [S3Request.Operation.createUpload, .completeUpload, .put])
    func `a busy server is asked again`(operation: S3Request.Operation) async throws {
        let server = try SinkBench.server { request in
            request.operation == operation && request.index < 2
                ? .status(operation == .createUpload ? 429 : 503, code: "SlowDown") : nil
        }
        let content = SourceBench.bytes(operation == .put ? 1000 : 3 * Self.part)
        let sink = try await SinkBench.sink(server)
        try await onThread {
            try sink.write(content)
            try sink.finish()
        }
        #expect(server.bytes("out.mp4") == content)
        #expect(server.requests(operation).count == 3)
    }

    /// Where an upload may fail for good.
    enum Place: String, CaseIterable, Sendable { case create, part, firstPart, complete, completeWithOK, put }

    @Test(arguments: Place.allCases)
    func `a failure for good is a clear error, and nothing is left`(place: Place) async throws {
        let denied = S3Fault.status(403, code: "ExpiredToken")
        let server = try SinkBench.server { request in
            switch (place, request.operation) {
            case (.create, .createUpload), (.complete, .completeUpload), (.put, .put): denied
            case (.part, .uploadPart): request.partNumber == 4 ? denied : nil
            case (.firstPart, .uploadPart): request.partNumber == 1 ? denied : nil
            case (.completeWithOK, .completeUpload): .errorWithOK(code: "InternalError")
            default: nil
            }
        }
        let ledger = MemoryUploadLedger()
        let sink = try await SinkBench.sink(server, ledger: ledger)
        let error = await transferError {
            try await onThread {
                try sink.write(SourceBench.bytes(place == .put ? 1000 : 12 * Self.part))
                try sink.finish()
            }
        }
        #expect(error?.code == (place == .completeWithOK ? .status : .accessDenied))
        #expect(error?.description.contains("uploadId") == false)
        try await onThread {
            sink.abort()
            sink.abort()
        }
        #expect(server.keys.isEmpty)
        #expect(server.uploads.isEmpty)
        #expect(ledger.entries.isEmpty)
    }

    @Test func `one request in twenty fails, and all is well`() async throws {
        let chance = Locked((generator: SplitMix(seed: 5), hasJustFailed: false))
        let faults = Self.passing.map(\.1)
        let server = try SinkBench.server { request in
            // An answer to this one that is lost leaves an upload that only a janitor finds.
            guard request.operation != .createUpload else { return nil }
            return chance.withLock { chance in
                chance.hasJustFailed = !chance.hasJustFailed && Int.random(in: 0..<20, using: &chance.generator) == 0
                guard chance.hasJustFailed else { return nil }
                guard request.operation == .uploadPart else { return .status(503, code: "SlowDown") }
                return faults.randomElement(using: &chance.generator)
            }
        }
        let content = SourceBench.bytes(12 * Self.part + 7)
        for index in 0..<10 {
            let sink = try await SinkBench.sink(server, "out/\(index).mp4")
            try await onThread {
                try sink.write(content)
                try sink.finish()
            }
            #expect(server.bytes("out/\(index).mp4") == content)
        }
        #expect(server.uploads.isEmpty)
    }

    // MARK: Giving up

    @Test func `abort leaves nothing, at any moment`() async throws {
        for count in [0, 1000, Self.part, 2 * Self.part, 7 * Self.part + 5] {
            for isPrepared in [false, true] {
                let server = try SinkBench.server()
                let ledger = MemoryUploadLedger()
                let sink = try await SinkBench.sink(server, ledger: ledger)
                try await onThread {
                    try sink.write(SourceBench.bytes(count))
                    if isPrepared { try sink.prepare() }
                    sink.abort()
                    let error = #expect(throws: TransferError.self) { try sink.write([1]) }
                    #expect(error?.code == .closed)
                }
                #expect(server.keys.isEmpty)
                #expect(server.uploads.isEmpty)
                #expect(ledger.entries.isEmpty)
            }
        }
    }

    @Test func `a sink that is dropped leaves nothing`() async throws {
        let aborted = AsyncFlag()
        let server = try SinkBench.server { request in
            if request.operation == .abortUpload { aborted.raise() }
            return nil
        }
        var sink: MultipartSink? = try await SinkBench.sink(server)
        try await onThread { [sink] in try sink?.write(SourceBench.bytes(5 * Self.part)) }
        sink = nil
        await aborted.wait()
    }

    @Test func `an abort that fails at first is tried again`() async throws {
        let server = try SinkBench.server { request in
            request.operation == .abortUpload && request.index < 2 ? .status(500, code: "InternalError") : nil
        }
        let sink = try await SinkBench.sink(server)
        try await onThread {
            try sink.write(SourceBench.bytes(5 * Self.part))
            sink.abort()
        }
        #expect(server.uploads.isEmpty)
    }

    @Test func `cancel ends a write that waits`() async throws {
        let arrived = AsyncFlag()
        let server = try SinkBench.server { request in
            guard request.operation == .uploadPart else { return nil }
            if request.index == 1 { arrived.raise() }
            return .silence
        }
        let sink = try await SinkBench.sink(server, client: SourceBench.patientClient(), partsInFlight: 2)
        async let error = transferError {
            try await onThread { try sink.write(SourceBench.bytes(50 * Self.part)) }
        }
        await arrived.wait()
        sink.cancel()
        #expect(await error?.code == .cancelled)
        let later = await transferError { try await onThread { try sink.finish() } }
        #expect(later?.code == .cancelled)
        try await onThread { sink.abort() }
        #expect(server.uploads.isEmpty)
    }

    @Test func `cancel while an upload is created leaves none`() async throws {
        let arrived = AsyncFlag()
        let mayGoOn = ThreadSignal()
        let server = try SinkBench.server { request in
            guard request.operation == .createUpload else { return nil }
            arrived.raise()
            return .hold(mayGoOn)
        }
        let sink = try await SinkBench.sink(server, client: SourceBench.patientClient())
        async let error = transferError {
            try await onThread {
                try sink.write(SourceBench.bytes(3 * Self.part))
                try sink.prepare()
            }
        }
        await arrived.wait()
        sink.cancel()
        // The writer does not wait for the server.
        #expect(await error?.code == .cancelled)
        mayGoOn.raise()
        try await onThread { sink.abort() }
        #expect(server.requests(.createUpload).count == 1)
        #expect(server.uploads.isEmpty)
    }

    @Test(arguments: [1000, 3 * part])
    func `cancel while the object is made visible takes it back`(count: Int) async throws {
        let arrived = AsyncFlag()
        let mayGoOn = ThreadSignal()
        let server = try SinkBench.server { request in
            guard request.operation == .completeUpload || request.operation == .put else { return nil }
            arrived.raise()
            return .hold(mayGoOn)
        }
        let sink = try await SinkBench.sink(server, client: SourceBench.patientClient())
        async let error = transferError {
            try await onThread {
                try sink.write(SourceBench.bytes(count))
                try sink.finish()
            }
        }
        await arrived.wait()
        sink.cancel()
        mayGoOn.raise()
        #expect(await error?.code == .cancelled)
        #expect(server.keys.isEmpty)
        #expect(server.uploads.isEmpty)
    }
}
