import ByteIO
import Testing
import Transfer
import TransferTestSupport

@Suite(.timeLimit(.minutes(2))) struct RangeSourceTests {
    private static let mebi = 1 << 20

    @Test func `what is read in order is fetched once, and pinned`() async throws {
        let content = SourceBench.bytes(7 * Self.mebi + 4321)
        let server = try SourceBench.server()
        server.put("a.mp4", content)
        let source = try await SourceBench.source(server)
        #expect(source.length == Int64(content.count))
        #expect(source.isSeekable)
        #expect(source.notices.isEmpty)
        #expect(source.name == server.url("a.mp4"))
        #expect(try await source.all() == content)
        #expect(source.statistics.bytesFetched == Int64(content.count))
        let requests = server.requests(.get)
        #expect(requests.dropFirst().allSatisfy { $0.raw.headers["If-Match"] == server["a.mp4"]?.etag.rawValue })
        #expect(requests.allSatisfy { $0.raw.headers["Range"] != nil && $0.raw.headers["Accept-Encoding"] == nil })
        // Nobody asked with HEAD, which a URL that was presigned for GET does not allow.
        #expect(requests.count == server.requests.count)
    }

    @Test func `what is read here and there`() async throws {
        let content = SourceBench.bytes(9 * Self.mebi + 1)
        let server = try SourceBench.server()
        server.put("a.mp4", content)
        let options = RangeSourceOptions(blockSize: 1 << 20, cachedBlocks: 4, prefetch: 2)
        let source = try await SourceBench.source(server, options: options)
        try await onThread {
            var generator = SplitMix(seed: 3)
            for _ in 0..<60 {
                let start = Int.random(in: 0..<content.count, using: &generator)
                let count = Int.random(in: 1...400_000, using: &generator)
                let end = min(content.count, start + count)
                let bytes = try source.bytes(count, at: Int64(start))
                #expect(bytes == Array(content[start..<end]))
                #expect(source.statistics.bytesHeld <= 4 * Int64(Self.mebi))
            }
        }
    }

    @Test(arguments: [0, 1, 1000, 131_072, 131_073, 1 << 20, 1 << 20 + 1])
    func `objects of any size`(count: Int) async throws {
        let content = SourceBench.bytes(count)
        let server = try SourceBench.server()
        server.put("a.mp4", content)
        let source = try await SourceBench.source(server)
        #expect(source.length == Int64(count))
        #expect(try await source.all() == content)
        #expect(try await onThread { try source.bytes(10, at: Int64(count)) } == [])
        #expect(try await onThread { try source.bytes(10, at: Int64(count) + 1_000_000) } == [])
    }

    @Test func `the first bytes come with the answer that opens`() async throws {
        let server = try SourceBench.server()
        server.put("a.mp4", SourceBench.bytes(3 * Self.mebi))
        let source = try await SourceBench.source(server)
        _ = try await onThread { try source.bytes(1000, at: 0) }
        #expect(server.requests.first?.raw.headers["Range"] == "bytes=0-131071")
        let options = RangeSourceOptions(blockSize: 1 << 20, prefetch: 0)
        let thrifty = try await SourceBench.source(server, options: options)
        _ = try await onThread { try thrifty.bytes(100_000, at: 0) }
        #expect(thrifty.statistics.requests == 1)
    }

    @Test func `a store's object is signed for and pinned, too`() async throws {
        let content = SourceBench.bytes(3 * Self.mebi)
        let server = try S3Server()
        server.put("in/a 1+é.mp4", content)
        let store = try PlainS3Store(server, client: SourceBench.client())
        let source = try await store.source("in/a 1+é.mp4", options: RangeSourceOptions(blockSize: 1 << 20))
        #expect(try await source.all() == content)
        #expect(source.name == "s3://media/in/a 1+é.mp4")
        #expect(server.refusals.isEmpty)
        #expect(server.requests(.get).allSatisfy { $0.raw.headers["If-Match"] != nil })
    }

    @Test func `only what a plan names is fetched`() async throws {
        let content = SourceBench.bytes(40 * Self.mebi)
        let server = try SourceBench.server()
        server.put("a.mp4", content)
        // Sound among pictures.
        let pieces = (1..<200).map { Int64($0) * 200_000..<Int64($0) * 200_000 + 4000 }
        let plan = RangePlan(pieces)
        let options = RangeSourceOptions(blockSize: 1 << 20, prefetch: 0)
        let source = try await SourceBench.source(server, options: options)
        source.follow(plan)
        let opened = source.statistics.bytesFetched
        try await onThread {
            for piece in pieces {
                let range = Int(piece.lowerBound)..<Int(piece.upperBound)
                let bytes = try source.bytes(4000, at: piece.lowerBound, reading: 371)
                #expect(bytes == Array(content[range]))
            }
        }
        #expect(source.statistics.bytesFetched - opened == plan.byteCount)
        #expect(plan.byteCount == 199 * 4000)
    }

    // MARK: Objects that change

    @Test func `an object that is replaced meanwhile is an error, never a mixture`() async throws {
        for (sendsETags, obeysIfMatch, sameSize) in [
            (true, true, true), (true, false, true), (false, true, true), (false, true, false),
        ] {
            var settings = SourceBench.open
            settings.sendsETags = sendsETags
            settings.obeysIfMatch = obeysIfMatch
            settings.sendsLastModified = sameSize
            let server = try SourceBench.server(settings)
            let content = SourceBench.bytes(6 * Self.mebi)
            server["a.mp4"] = S3Object(.bytes(content), modified: 1_700_000_000)
            let source = try await SourceBench.source(server)
            _ = try await onThread { try source.bytes(100_000, at: 0) }
            let other = [UInt8](repeating: 7, count: content.count + (sameSize ? 0 : 1))
            server["a.mp4"] = S3Object(.bytes(other), modified: 1_700_000_001)
            let error = await transferError { try await onThread { _ = try source.bytes(100_000, at: 5_000_000) } }
            #expect(error?.code == .changed)
            #expect(error?.isRetryable == false)
        }
    }

    @Test func `a weak ETag is compared but not sent`() async throws {
        let content = SourceBench.bytes(2 * Self.mebi)
        let server = try SourceBench.server()
        server["a.mp4"] = S3Object(.bytes(content), etag: ETag(rawValue: "W/\"1\""))
        let source = try await SourceBench.source(server)
        #expect(try await onThread { try source.bytes(10, at: 1_500_000) } == Array(content[1_500_000..<1_500_010]))
        #expect(server.requests.allSatisfy { $0.raw.headers["If-Match"] == nil })
        server["a.mp4"]?.etag = ETag(rawValue: "W/\"2\"")
        let error = await transferError { try await onThread { _ = try source.bytes(10, at: 700_000) } }
        #expect(error?.code == .changed)
    }

    // MARK: Letting go

    @Test func `a far jump gives up what was fetched ahead`() async throws {
        let arrived = ThreadSignal()
        let gone = ThreadSignal()
        let content = SourceBench.bytes(12 * Self.mebi)
        let server = try SourceBench.server { request in
            // The first whole block never comes.
            guard case .part(let range) = request.range(of: 12 << 20), range.count >= 1 << 20 else { return nil }
            guard range.lowerBound < 6 << 20 else { return nil }
            arrived.raise()
            return .stall(after: 10, gone: gone)
        }
        server.put("a.mp4", content)
        let source = try await SourceBench.source(server, client: SourceBench.patientClient())
        try await onThread {
            _ = try source.bytes(600_000, at: 0)
            arrived.wait()
            #expect(source.statistics.bytesHeld > 1 << 20)
            _ = try source.bytes(10, at: 11_000_000)
            gone.wait()
        }
    }

    @Test func `cancel ends a read that waits, and all later ones`() async throws {
        let arrived = AsyncFlag()
        let server = try SourceBench.server { request in
            guard request.index > 0 else { return nil }
            arrived.raise()
            return .stall(after: 10)
        }
        server.put("a.mp4", SourceBench.bytes(3 * Self.mebi))
        let source = try await SourceBench.source(server, client: SourceBench.patientClient())
        async let read = transferError { try await onThread { _ = try source.bytes(1000, at: 2_000_000) } }
        await arrived.wait()
        source.cancel()
        source.cancel()
        #expect(await read?.code == .cancelled)
        let later = await transferError { try await onThread { _ = try source.bytes(10, at: 0) } }
        #expect(later?.code == .cancelled)
    }

    @Test func `a source that is dropped ends its requests`() async throws {
        let gone = ThreadSignal()
        let arrived = AsyncFlag()
        let server = try SourceBench.server { request in
            guard request.index > 0 else { return nil }
            arrived.raise()
            return .stall(after: 10, gone: gone)
        }
        server.put("a.mp4", SourceBench.bytes(3 * Self.mebi))
        var source: RangeSource? = try await SourceBench.source(server, client: SourceBench.patientClient())
        try await onThread { [source] in _ = try source?.bytes(100_000, at: 0) }
        await arrived.wait()
        source = nil
        try await onThread { gone.wait() }
    }
}
