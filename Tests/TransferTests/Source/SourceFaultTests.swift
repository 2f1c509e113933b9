import ByteIO
import Locking
import Testing
import Transfer
import TransferTestSupport

/// Everything that a server may do wrong once, and what it may do wrong for ever.
@Suite(.timeLimit(.minutes(2))) struct SourceFaultTests {
    private static let mebi = 1 << 20

    static let passing: [(String, S3Fault)] = [
        ("500", .status(500, code: "InternalError")),
        ("503", .status(503, code: "SlowDown", headers: ["retry-after-ms": "5"])),
        ("429", .status(429, code: "TooManyRequests")),
        ("a reset before the answer", .reset),
        ("a reset amid the body", .resetBody(after: 100_000)),
        ("a reset before the body's first byte", .resetBody(after: 0)),
        ("a body that ends early", .truncate(after: 100_001)),
        ("a body that stalls", .stall(after: 100_002)),
        ("no answer", .silence),
        ("a slow drip", .drip(bytes: 20_000, milliseconds: 1)),
        ("a body that is shorter than asked for, and says so", .wrongLength(by: -1000)),
        ("a body that is longer than asked for, and says so", .wrongLength(by: 1000)),
        ("other bytes than asked for", .shiftRange(by: 100)),
        ("all of the object instead of a range", .ignoreRange),
    ]

    @Test(arguments: passing.indices)
    func `a fault that passes is not noticed`(index: Int) async throws {
        let fault = Self.passing[index].1
        let content = SourceBench.bytes(4 * Self.mebi + 99)
        // The request after the one that opens, one amid the reading, and the last.
        for number in [1, 4] {
            let server = try SourceBench.server { $0.index == number ? fault : nil }
            server.put("a.mp4", content)
            let source = try await SourceBench.source(server)
            #expect(try await source.all() == content, "\(Self.passing[index].0)")
            #expect(server.requests.count > number)
        }
    }

    @Test func `a fault at the opening is not noticed, either`() async throws {
        let content = SourceBench.bytes(2 * Self.mebi)
        for fault in [
            S3Fault.status(503, code: "SlowDown"), .reset, .resetBody(after: 1000), .truncate(after: 1), .silence,
            .stall(after: 3),
        ] {
            let server = try SourceBench.server { $0.index == 0 ? fault : nil }
            server.put("a.mp4", content)
            let source = try await SourceBench.source(server)
            #expect(try await source.all() == content)
        }
    }

    @Test func `a connection that breaks is taken up where it broke`() async throws {
        let content = SourceBench.bytes(6 * Self.mebi)
        let server = try SourceBench.server { request in
            request.index > 0 && request.index % 2 == 1 ? .resetBody(after: 200_000) : nil
        }
        server.put("a.mp4", content)
        let source = try await SourceBench.source(server)
        #expect(try await source.all() == content)
        // Nothing twice, but for what was lost on the way.
        #expect(source.statistics.bytesFetched == Int64(content.count))
    }

    @Test func `one request in twenty fails, each in another way`() async throws {
        let content = SourceBench.bytes(8 * Self.mebi)
        let chance = Locked((generator: SplitMix(seed: 11), hasJustFailed: false))
        let faults = Self.passing.map(\.1)
        let server = try SourceBench.server { request in
            guard request.index > 0 else { return nil }
            return chance.withLock { chance in
                chance.hasJustFailed = !chance.hasJustFailed && Int.random(in: 0..<20, using: &chance.generator) == 0
                return chance.hasJustFailed ? faults.randomElement(using: &chance.generator) : nil
            }
        }
        server.put("a.mp4", content)
        for _ in 0..<6 {
            let source = try await SourceBench.source(server)
            #expect(try await source.all() == content)
        }
    }

    @Test(arguments: [
        (S3Fault.status(403, code: "ExpiredToken"), TransferError.Code.accessDenied),
        (.status(404, code: "NoSuchKey"), .notFound), (.status(500, code: "InternalError"), .status),
        (.reset, .connectionLost), (.truncate(after: 0), .connectionLost), (.ignoreRange, .badResponse),
        (.redirect(307, to: "http://10.0.0.1/a.mp4"), .forbiddenAddress),
    ])
    func `a fault that stays is a clear error, and gone when it is gone`(
        fault: S3Fault, code: TransferError.Code
    ) async throws {
        let isBroken = Locked(true)
        let content = SourceBench.bytes(4 * Self.mebi)
        let server = try SourceBench.server { $0.index > 0 && isBroken.withLock { $0 } ? fault : nil }
        server.put("a.mp4", content)
        let options = RangeSourceOptions(blockSize: 1 << 20, prefetch: 0)
        let source = try await SourceBench.source(server, options: options)
        let error = await transferError { try await onThread { _ = try source.bytes(10, at: 3_000_000) } }
        #expect(error?.code == code)
        #expect(error?.description.contains("secret") == false)
        isBroken.withLock { $0 = false }
        #expect(try await onThread { try source.bytes(10, at: 3_000_000) } == Array(content[3_000_000..<3_000_010]))
    }

    @Test func `a server in trouble is asked for nothing but what somebody waits for`() async throws {
        let server = try SourceBench.server { request in
            // All that is fetched ahead fails.
            guard case .part(let range) = request.range(of: 20 << 20), range.count >= 1 << 20 else { return nil }
            return .status(403, code: "AccessDenied")
        }
        server.put("a.mp4", SourceBench.bytes(20 * Self.mebi))
        let source = try await SourceBench.source(server)
        let before = server.requests.count
        _ = try? await onThread { try source.bytes(5 * Self.mebi, at: 0, reading: 1000) }
        // Thousands of reads: each must not have been an occasion to try again.
        #expect(server.requests.count - before < 40)
    }

    @Test func `what cannot be opened`() async throws {
        let server = try SourceBench.server()
        let missing = await transferError { _ = try await SourceBench.source(server, "missing") }
        #expect(missing?.code == .notFound)
        let forbidden = try SourceBench.server { _ in .status(403, code: "AccessDenied") }
        let denied = await transferError { _ = try await SourceBench.source(forbidden) }
        #expect(denied?.code == .accessDenied)
        #expect(denied?.description.contains("secret") == false)
    }

    @Test func `a redirect to another server is followed`() async throws {
        let content = SourceBench.bytes(2 * Self.mebi)
        let other = try SourceBench.server()
        other.put("a.mp4", content)
        let target = other.url("a.mp4")
        let server = try SourceBench.server { _ in .redirect(302, to: target) }
        let source = try await SourceBench.source(server)
        #expect(try await source.all() == content)
    }
}
