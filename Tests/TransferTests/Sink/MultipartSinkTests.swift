import ByteIO
import Testing
import Transfer
import TransferTestSupport

@Suite(.timeLimit(.minutes(2))) struct MultipartSinkTests {
    private static let part = SinkBench.partSize

    @Test(arguments: [0, 1, part - 1, part, part + 1, 2 * part, 2 * part + 1, 9 * part, 9 * part + 12_345])
    func `what is written is what is there`(count: Int) async throws {
        let content = SourceBench.bytes(count)
        let server = try SinkBench.server()
        let options = ObjectOptions(contentType: "video/mp4")
        let sink = try await SinkBench.sink(server, options: options)
        #expect(sink.name == "s3://media/out.mp4")
        try await onThread {
            try sink.write(content)
            #expect(server["out.mp4"] == nil)
            try sink.finish()
        }
        #expect(server.bytes("out.mp4") == content)
        #expect(server["out.mp4"]?.contentType == "video/mp4")
        #expect(sink.object?.etag == server["out.mp4"]?.etag)
        #expect(sink.object?.size == Int64(count))
        #expect(server.uploads.isEmpty)
        #expect(server.refusals.isEmpty)
        // What fits into one part is no upload.
        let parts = count <= Self.part ? 0 : (count - 1) / Self.part + 1
        #expect(server.requests(.uploadPart).count == parts)
        #expect(server.requests(.put).count == (parts == 0 ? 1 : 0))
        // Aborting what is finished does nothing.
        try await onThread { sink.abort() }
        #expect(server.bytes("out.mp4") == content)
    }

    @Test func `the head can be written again until the end`() async throws {
        var content = SourceBench.bytes(5 * Self.part)
        let server = try SinkBench.server()
        let sink = try await SinkBench.sink(server)
        #expect(sink.rewritableHead == Int64(Self.part))
        let original = content
        try await onThread {
            try sink.write(original)
            try sink.rewrite([1, 2, 3], at: 0)
            try sink.rewrite([4, 5], at: Int64(Self.part) - 2)
            for offset in [Int64(Self.part) - 1, Int64(Self.part), -1, .max] {
                let error = #expect(throws: TransferError.self) { try sink.rewrite([6, 7], at: offset) }
                #expect(error?.code == .notSeekable)
            }
            try sink.finish()
        }
        content.replaceSubrange(0..<3, with: [1, 2, 3])
        content.replaceSubrange(Self.part - 2..<Self.part, with: [4, 5])
        #expect(server.bytes("out.mp4") == content)
    }

    @Test func `parts go side by side, and a writer who is faster waits`() async throws {
        let mayGoOn = ThreadSignal()
        let server = try SinkBench.server { request in
            guard request.operation == .uploadPart else { return nil }
            // The first waits until there are as many as there may be.
            if request.index == 2 { mayGoOn.raise() }
            return .hold(mayGoOn)
        }
        let content = SourceBench.bytes(40 * Self.part)
        let sink = try await SinkBench.sink(server, client: SourceBench.patientClient(), partsInFlight: 3)
        let furthest = try await onThread {
            var furthest = 0
            for start in stride(from: 0, to: content.count, by: Self.part / 2) {
                try sink.write(Array(content[start..<start + Self.part / 2]))
                let answered = server.requests(.uploadPart).count
                furthest = max(furthest, start + Self.part / 2 - answered * Self.part)
            }
            try sink.finish()
            return furthest
        }
        #expect(server.bytes("out.mp4") == content)
        #expect(server.mostPartsArriving == 3)
        // Three on their way, the head, and the one that is being filled.
        #expect(furthest <= 5 * Self.part)
    }

    @Test func `all is sent by prepare, and nothing to be seen before finish`() async throws {
        let server = try SinkBench.server()
        let content = SourceBench.bytes(3 * Self.part + 1)
        let sink = try await SinkBench.sink(server)
        try await onThread {
            try sink.write(content)
            try sink.prepare()
            try sink.prepare()
        }
        #expect(server.uploads.first?.parts.count == 4)
        #expect(server["out.mp4"] == nil)
        let error = await transferError { try await onThread { try sink.write([1]) } }
        #expect(error?.code == .closed)
        try await onThread { try sink.finish() }
        #expect(server.bytes("out.mp4") == content)
        let again = await transferError { try await onThread { try sink.finish() } }
        #expect(again?.code == .closed)
        #expect(server.bytes("out.mp4") == content)
    }

    @Test(arguments: [1000, 3 * part])
    func `what may not be replaced is not`(count: Int) async throws {
        let server = try SinkBench.server()
        let options = ObjectOptions(overwrite: false)
        let sink = try await SinkBench.sink(server, options: options)
        // It comes in between.
        server.put("out.mp4", [1, 2, 3])
        let late = await transferError {
            try await onThread {
                try sink.write(SourceBench.bytes(count))
                try sink.finish()
            }
        }
        #expect(late?.status == 412)
        #expect(server.bytes("out.mp4") == [1, 2, 3])
        #expect(server.uploads.isEmpty)
        let early = await transferError { _ = try await SinkBench.sink(server, options: options) }
        #expect(early?.code == .exists)
    }

    @Test(arguments: [1000, 3 * part])
    func `what was finished can be taken back, unless somebody has replaced it`(count: Int) async throws {
        let server = try SinkBench.server()
        for isReplaced in [false, true] {
            let sink = try await SinkBench.sink(server)
            try await onThread {
                try sink.write(SourceBench.bytes(count))
                try sink.finish()
            }
            if isReplaced { server.put("out.mp4", [1, 2, 3]) }
            try await onThread { sink.retract() }
            #expect(server.bytes("out.mp4") == (isReplaced ? [1, 2, 3] : nil))
        }
    }

    @Test func `more than the parts hold is an error that says what to do`() async throws {
        let server = try SinkBench.server()
        let store = try SinkBench.store(server, parts: 3)
        let sink = try await MultipartSink(store, key: "out.mp4", upload: UploadOptions(partSize: Int64(Self.part)))
        let error = await transferError { try await onThread { try sink.write(SourceBench.bytes(3 * Self.part + 1)) } }
        #expect(error?.code == .tooLarge)
        #expect(error?.hint != nil)
        try await onThread { sink.abort() }
        #expect(server.uploads.isEmpty)
        // Known in advance, the parts are made larger.
        let options = UploadOptions(expectedSize: 3 * Int64(Self.part) + 1, partSize: Int64(Self.part))
        let second = try await MultipartSink(store, key: "out.mp4", upload: options)
        try await onThread {
            try second.write(SourceBench.bytes(3 * Self.part + 1))
            try second.finish()
        }
        #expect(server.bytes("out.mp4")?.count == 3 * Self.part + 1)
    }
}
