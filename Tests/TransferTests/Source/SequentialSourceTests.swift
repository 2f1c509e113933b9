import ByteIO
import Testing
import Transfer
import TransferTestSupport

@Suite(.timeLimit(.minutes(2))) struct SequentialSourceTests {
    private static let mebi = 1 << 20
    private static let options = RangeSourceOptions(blockSize: 1 << 20, replayBytes: 2 << 20)

    /// A server without ranges.
    private static func server(
        _ settings: S3Server.Settings = SourceBench.open,
        fault: @escaping @Sendable (S3Request) -> S3Fault? = { _ in nil }
    ) throws -> S3Server {
        try SourceBench.server(settings) { fault($0) ?? .ignoreRange }
    }

    @Test func `a server without ranges is read in order, and it is said`() async throws {
        let content = SourceBench.bytes(7 * Self.mebi + 1)
        let server = try Self.server()
        server.put("a.mp4", content)
        let source = try await SourceBench.source(server, options: Self.options)
        #expect(!source.isSeekable)
        #expect(source.length == Int64(content.count))
        #expect(source.notices.count == 1)
        #expect(source.notices.first?.contains("secret") == false)
        try await onThread {
            var position = 0
            while position < content.count {
                let bytes = try source.bytes(300_000, at: Int64(position))
                #expect(bytes == Array(content[position..<min(content.count, position + 300_000)]))
                position += bytes.count
                // What may be gone back to, a block ahead, and a piece on top of either.
                #expect(source.statistics.bytesHeld <= Int64(4 * Self.mebi))
            }
            #expect(try source.bytes(10, at: Int64(position)) == [])
        }
        #expect(server.requests.count == 2)
    }

    @Test func `it can be gone back in a little, and no further`() async throws {
        let content = SourceBench.bytes(6 * Self.mebi)
        let server = try Self.server()
        server.put("a.mp4", content)
        let source = try await SourceBench.source(server, options: Self.options)
        try await onThread {
            _ = try source.bytes(5 * Self.mebi, at: 0)
            let back = 5 * Self.mebi - 2_000_000
            #expect(try source.bytes(1000, at: Int64(back)) == Array(content[back..<back + 1000]))
        }
        let error = await transferError { try await onThread { _ = try source.bytes(10, at: 0) } }
        #expect(error?.code == .notSeekable)
        #expect(try await onThread { try source.bytes(10, at: 5_500_000) } == Array(content[5_500_000..<5_500_010]))
    }

    @Test func `an object that can be kept as a whole can be sought in`() async throws {
        let content = SourceBench.bytes(2 * Self.mebi)
        let server = try Self.server()
        server.put("a.mp4", content)
        let source = try await SourceBench.source(server, options: Self.options)
        #expect(source.isSeekable)
        #expect(source.notices.isEmpty)
        for start in [2_000_000, 0, 1_000_000] {
            let bytes = try await onThread { try source.bytes(5000, at: Int64(start)) }
            #expect(bytes == Array(content[start..<start + 5000]))
        }
        server.put("small", Array(content.prefix(1000)))
        let small = try await SourceBench.source(server, "small")
        #expect(try await small.all() == Array(content.prefix(1000)))
        #expect(small.isSeekable)
        #expect(small.statistics.requests == 1)
    }

    @Test(arguments: [S3Fault.resetBody(after: 3_000_000), .truncate(after: 3_000_000), .stall(after: 3_000_000)])
    func `a stream that breaks is begun again and read up to where it broke`(fault: S3Fault) async throws {
        let content = SourceBench.bytes(5 * Self.mebi)
        // The first opens, and is dropped.
        let server = try Self.server { $0.index == 1 ? fault : nil }
        server.put("a.mp4", content)
        let source = try await SourceBench.source(server, options: Self.options)
        #expect(try await source.all() == content)
        #expect(server.requests.count == 3)
    }

    @Test func `but not if it is another object by then`() async throws {
        let server = try Self.server { $0.index == 1 ? .resetBody(after: 1_000_000) : nil }
        server["a.mp4"] = S3Object(.bytes(SourceBench.bytes(5 * Self.mebi)), modified: 1_700_000_000)
        let source = try await SourceBench.source(server, options: Self.options)
        _ = try await onThread { try source.bytes(1000, at: 0) }
        server["a.mp4"] = S3Object(.bytes([UInt8](repeating: 1, count: 5 * Self.mebi)), modified: 1_700_000_001)
        let error = await transferError { _ = try await source.all() }
        #expect(error?.code == .changed)
    }

    @Test func `and not if nobody could tell`() async throws {
        var settings = SourceBench.open
        settings.sendsETags = false
        settings.sendsLastModified = false
        let server = try Self.server(settings) { $0.index == 1 ? .resetBody(after: 1_000_000) : nil }
        server.put("a.mp4", SourceBench.bytes(5 * Self.mebi))
        let source = try await SourceBench.source(server, options: Self.options)
        let error = await transferError { _ = try await source.all() }
        #expect(error?.code == .connectionLost)
    }

    @Test func `cancel ends a read that waits`() async throws {
        let arrived = AsyncFlag()
        let server = try Self.server { request in
            guard request.index == 1 else { return nil }
            arrived.raise()
            return .stall(after: 1000)
        }
        server.put("a.mp4", SourceBench.bytes(5 * Self.mebi))
        let source = try await SourceBench.source(
            server, client: SourceBench.patientClient(), options: Self.options)
        async let error = transferError { _ = try await source.all() }
        await arrived.wait()
        source.cancel()
        #expect(await error?.code == .cancelled)
    }
}
