import Locking
import Testing
import Transfer
import TransferTestSupport

@Suite struct CachedCredentialsTests {
    private static func temporary(_ id: String, until end: Double) -> Credentials {
        Credentials(accessKeyID: id, secretAccessKey: "secret", sessionToken: "token", expires: end)
    }

    private let now = Locked(0.0)
    private func cached(_ provider: ScriptedCredentials) -> CachedCredentials {
        CachedCredentials(provider) { [now] in now.withLock { $0 } }
    }

    @Test func `they are kept until five minutes before they end`() async throws {
        let provider = ScriptedCredentials([
            .success(Self.temporary("one", until: 3600)), .success(Self.temporary("two", until: 7200)),
        ])
        let cached = cached(provider)
        for time in [0, 1000, 3299.0] {
            now.withLock { $0 = time }
            #expect(try await cached.credentials().accessKeyID == "one")
        }
        #expect(provider.calls == 1)
        now.withLock { $0 = 3300 }
        #expect(try await cached.credentials().accessKeyID == "two")
        #expect(provider.calls == 2)
    }

    @Test func `those without an end are asked for each time`() async throws {
        let provider = ScriptedCredentials([
            .success(Credentials(accessKeyID: "one", secretAccessKey: "")),
            .success(Credentials(accessKeyID: "two", secretAccessKey: "")),
        ])
        let cached = cached(provider)
        #expect(try await cached.credentials().accessKeyID == "one")
        #expect(try await cached.credentials().accessKeyID == "two")
    }

    @Test func `what is still good is used when no new ones are to be had`() async throws {
        let failure = TransferError(.credentials, "down", isRetryable: true)
        let provider = ScriptedCredentials([.success(Self.temporary("one", until: 3600)), .failure(failure)])
        let cached = cached(provider)
        _ = try await cached.credentials()
        now.withLock { $0 = 3400 }
        #expect(try await cached.credentials().accessKeyID == "one")
        #expect(provider.calls == 2)
        // The provider is left alone for a while.
        now.withLock { $0 = 3400 + CachedCredentials.pause - 1 }
        _ = try await cached.credentials()
        #expect(provider.calls == 2)
        now.withLock { $0 = 3400 + CachedCredentials.pause }
        _ = try await cached.credentials()
        #expect(provider.calls == 3)
        now.withLock { $0 = 3600 }
        #expect(await transferError { _ = try await cached.credentials() }?.message == "down")
    }

    @Test func `many who come at once get the same ones`() async throws {
        let gate = AsyncGate()
        let provider = ScriptedCredentials([.success(Self.temporary("one", until: 3600))], gate: gate)
        let cached = cached(provider)
        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<20 { group.addTask { try await cached.credentials().accessKeyID } }
            await gate.waitForArrival()
            gate.open()
            for try await id in group { #expect(id == "one") }
        }
        #expect(provider.calls == 1)
    }

    @Test func `a cancel ends the wait of one and of no other`() async throws {
        let gate = AsyncGate()
        let cached = cached(ScriptedCredentials([.success(Self.temporary("one", until: 3600))], gate: gate))
        let first = Task { try await cached.credentials().accessKeyID }
        await gate.waitForArrival()
        let second = Task { await transferError { _ = try await cached.credentials() } }
        second.cancel()
        #expect(await second.value?.code == .cancelled)
        gate.open()
        #expect(try await first.value == "one")
    }

    @Test func `a server's word counts more than the end`() async throws {
        let one = Self.temporary("one", until: 3600)
        let provider = ScriptedCredentials([.success(one), .success(Self.temporary("two", until: 3600))])
        let cached = cached(provider)
        _ = try await cached.credentials()
        #expect(cached.discard(one))
        #expect(try await cached.credentials().accessKeyID == "two")
        // What was discarded before does not harm what came since.
        #expect(cached.discard(one))
        #expect(try await cached.credentials().accessKeyID == "two")
        #expect(!cached.discard(Credentials(accessKeyID: "fixed", secretAccessKey: "")))
    }
}
