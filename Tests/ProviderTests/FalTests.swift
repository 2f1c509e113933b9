import Foundation
import ProviderTestSupport
import Providers
import Testing
import Transfer
import TransferTestSupport

struct FalTests {
    private static let key = "key-id:key-secret-0123"

    private static func queue(
        _ server: FalStandIn, key: String = key, total: Duration = .seconds(600), hosts: [String]? = nil
    ) throws -> FalQueue {
        FalQueue(
            url: try server.queueURL, key: key, client: try HTTPClient(),
            polling: .init(first: .milliseconds(1), longest: .milliseconds(4), total: total), hosts: hosts,
            retries: ChatBench.retries)
    }

    /// A picture that holds its order's number.
    private static func picture(_ order: FalStandIn.Order, _ files: String) -> FalStandIn.Outcome {
        .done([
            "images": [
                [
                    "url": .string("\(files)/\(order.number).png"), "content_type": "image/png", "width": .int(1024),
                    "height": .int(576),
                ]
            ], "seed": .int(7), "has_nsfw_concepts": [.bool(false)],
        ])
    }

    private static func images(_ server: FalStandIn, endpoint: String = "fal-ai/flux/srpo") throws -> FalImageGenerator
    {
        FalImageGenerator(endpoint: endpoint, queue: try queue(server))
    }

    @Test func `a picture is ordered, waited for and found`() async throws {
        let server = try FalStandIn(polls: 3) { Self.picture($0, $1) }
        let media = try await Self.images(server).generate(.init(prompt: "a red bike", aspect: .portrait, seed: 5))
        #expect(media.url.hasSuffix("/files/1.png"))
        #expect(media.contentType == "image/png")
        #expect(media.width == 1024 && media.height == 576)
        #expect(media.requestID == "order-1")
        let input = try #require(server.orders.first?.input)
        #expect(input["prompt"]?.string == "a red bike")
        #expect(input["image_size"]?.string == "portrait_16_9")
        #expect(input["seed"]?.int == 5)
        #expect(server.orders[0].polls == 4)
        // Asked for where the answer said, which is not below the endpoint's whole path.
        #expect(server.requests.last?.path == "/fal-ai/flux/requests/order-1")
    }

    @Test(arguments: [
        ("fal-ai/flux/srpo", "image_size", "square_hd"), ("fal-ai/nano-banana", "aspect_ratio", "1:1"),
    ])
    func `families of models are told the shape in their own way`(endpoint: String, field: String, value: String)
        async throws
    {
        let server = try FalStandIn(polls: 0) { Self.picture($0, $1) }
        _ = try await Self.images(server, endpoint: endpoint).generate(.init(prompt: "a", aspect: .square))
        #expect(server.orders.first?.input[field]?.string == value)
    }

    @Test func `an endpoint that is not known gets what all know`() async throws {
        let server = try FalStandIn(polls: 0) { Self.picture($0, $1) }
        _ = try await Self.images(server, endpoint: "acme/own-model").generate(.init(prompt: "a", seed: 1))
        #expect(server.orders.first?.input.members?.map(\.name) == ["prompt", "seed"])
    }

    @Test func `a clip of a picture is ordered from the variant for pictures`() async throws {
        let server = try FalStandIn(polls: 0) { _, files in .done(["video": ["url": .string(files + "/a.mp4")]]) }
        let generator = FalVideoGenerator(endpoint: "fal-ai/veo3.1/fast", queue: try Self.queue(server))
        let media = try await generator.generate(.init(prompt: "waves", aspect: .portrait, seed: 3))
        #expect(media.url.hasSuffix("/files/a.mp4"))
        _ = try await generator.generate(
            .init(prompt: "waves", image: HTTPURL("https://example.com/a.png?x=1"), seed: 3))
        #expect(server.orders.map(\.endpoint) == ["fal-ai/veo3.1/fast", "fal-ai/veo3.1/fast/image-to-video"])
        #expect(server.orders[0].input["aspect_ratio"]?.string == "9:16")
        #expect(server.orders[0].input["generate_audio"] == .bool(false))
        #expect(server.orders[1].input["image_url"]?.string == "https://example.com/a.png?x=1")
        let moving = FalVideoGenerator(endpoint: "fal-ai/wan-i2v", queue: try Self.queue(server))
        let error = await ChatBench.failure { try await moving.generate(.init(prompt: "waves")) }
        #expect(error?.code == .badRequest)
        #expect(server.orders.count == 2)
    }

    @Test func `an order is waited for by its stored ticket, and not paid twice`() async throws {
        let server = try FalStandIn(polls: 2) { Self.picture($0, $1) }
        let ticket = try await Self.images(server).submit(.init(prompt: "a"))
        let stored = try JSONEncoder().encode(ticket)
        // Another process, later.
        let again = try JSONDecoder().decode(GenerationTicket.self, from: stored)
        #expect(again == ticket)
        for _ in 0..<2 { #expect(try await Self.images(server).result(again).url.hasSuffix("/files/1.png")) }
        #expect(server.orders.count == 1)
        #expect(!String(decoding: stored, as: UTF8.self).contains("key-secret"))
    }

    @Test func `a wait that is over leaves the order, and a generation that is over gives it up`() async throws {
        let server = try FalStandIn { _, _ in .never }
        let generator = FalImageGenerator(
            endpoint: "fal-ai/flux/srpo", queue: try Self.queue(server, total: .milliseconds(10)))
        let ticket = try await generator.submit(.init(prompt: "a"))
        let waited = try #require(await ChatBench.failure { try await generator.result(ticket) })
        #expect(waited.code == .overdue && waited.isRetryable)
        #expect(waited.requestID == "order-1")
        #expect(!server.orders[0].isCancelled)
        let generated = await ChatBench.failure { try await generator.generate(.init(prompt: "b")) }
        #expect(generated?.code == .overdue)
        #expect(server.orders.map(\.isCancelled) == [false, true])
    }

    @Test func `a cancelled generation is cancelled at the service`() async throws {
        let polled = AsyncFlag()
        let server = try FalStandIn { _, _ in
            polled.raise()
            return .never
        }
        let generator = try Self.images(server)
        let task = Task { try await generator.generate(.init(prompt: "a")) }
        await polled.wait()
        task.cancel()
        let error = await ChatBench.failure { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(server.orders.map(\.isCancelled) == [true])
    }

    @Test func `states are asked for again after a fault, and an order is not sent twice after one`() async throws {
        let server = try FalStandIn(polls: 1) { Self.picture($0, $1) }
        server.submitFaults.add(.status(429, headers: ["retry-after-ms": "2"], body: #"{"detail":"slow down"}"#))
        server.statusFaults.add(.status(500), .cutBody, nil)
        server.resultFaults.add(.status(503))
        #expect(try await Self.images(server).generate(.init(prompt: "a")).requestID == "order-1")
        server.submitFaults.add(.status(500))
        let generator = try Self.images(server)
        let before = server.requests.count
        let failed = await ChatBench.failure { try await generator.submit(.init(prompt: "b")) }
        #expect(failed?.code == .unavailable && failed?.isRetryable == true)
        #expect(server.requests.count == before + 1)
        server.submitFaults.add(.cutBody)
        let lost = await ChatBench.failure { try await generator.submit(.init(prompt: "c")) }
        #expect(lost?.code == .unavailable)
        #expect(server.orders.count == 2)
    }

    @Test(arguments: [
        (
            #"{"detail":[{"loc":["body","prompt"],"msg":"flagged","type":"content_policy_violation"}]}"#, 422,
            ProviderError.Code.refused
        ),
        (#"{"detail":[{"loc":["body","prompt"],"msg":"too long","type":"string_too_long"}]}"#, 422, .badRequest),
        (#"{"detail":"the picture could not be read"}"#, 422, .badRequest),
        (#"{"detail":"User is locked. Reason: Exhausted balance."}"#, 403, .quota),
        (#"{"detail":"gone wrong","error_type":"runner_disconnected"}"#, 503, .failed),
    ])
    func `an order that fails says why`(body: String, status: Int, code: ProviderError.Code) async throws {
        let server = try FalStandIn(polls: 0) { _, _ in .failed("it failed", status: status, body: body) }
        let generator = try Self.images(server)
        let error = try #require(await ChatBench.failure { try await generator.generate(.init(prompt: "a")) })
        #expect(error.code == code)
        #expect(error.isRetryable == (code == .failed))
        #expect(error.requestID == "order-1")
    }

    @Test func `our own limit for the start, and a model's advice, decide on another attempt`() async throws {
        let late = try FalStandIn(polls: 0) { _, _ in
            .failed("timeout", status: 504, body: "{}", headers: ["X-Fal-Request-Timeout-Type": "user"])
        }
        let generator = try Self.images(late)
        let error = await ChatBench.failure { try await generator.generate(.init(prompt: "a")) }
        #expect(error?.isRetryable == false)
        let lucky = try FalStandIn(polls: 0) { _, _ in
            .failed("no luck", status: 422, body: #"{"detail":"no luck"}"#, headers: ["X-Fal-Retryable": "true"])
        }
        let again = try Self.images(lucky)
        let other = await ChatBench.failure { try await again.generate(.init(prompt: "a")) }
        #expect(other?.isRetryable == true && other?.code == .failed)
    }

    @Test func `what has expired asks to be generated again`() async throws {
        let server = try FalStandIn(polls: 0) { order, files in
            order.number == 1 ? .expired : .done(["images": [["url": .string(files + "/gone.png")]]])
        }
        let generator = try Self.images(server)
        let result = try #require(await ChatBench.failure { try await generator.generate(.init(prompt: "a")) })
        #expect(result.code == .expired && result.isRetryable)
        #expect("\(result)".contains("Generate it again"))
        let media = try await generator.generate(.init(prompt: "b"))
        let client = try HTTPClient(
            HTTPConfiguration(addressGuard: AddressGuard(allowedNetworks: ["127.0.0.0/8"].compactMap { IPNetwork($0) }))
        )
        let gone = await ChatBench.failure { try await media.withContents(client: client) { $0.status } }
        let file = try #require(gone)
        #expect(file.code == .expired && file.isRetryable)
        var there = media
        there.url = media.url.replacingOccurrences(of: "gone", with: "here")
        let bytes = try await there.withContents(client: client) { try await $0.body.collect(limit: 100) }
        #expect(String(decoding: bytes, as: UTF8.self) == "the file")
    }

    @Test func `the key goes nowhere else, whatever an answer or a stored ticket says`() async throws {
        let thief = try RawServer { connection in
            while try connection.readRequest() != nil { try connection.respond(200, body: Array("{}".utf8)) }
        }
        let server = try FalStandIn(polls: 0, origin: thief.url("")) { Self.picture($0, $1) }
        let generator = FalImageGenerator(
            endpoint: "fal-ai/flux/srpo", queue: try Self.queue(server, hosts: ["fal.run", "*.fal.run"]))
        let error = try #require(await ChatBench.failure { try await generator.generate(.init(prompt: "a")) })
        #expect(error.code == .badAnswer)
        for url in [thief.url("/a/status"), "https://queue.fal.run.example.com/a", "https://evilfal.run/a", "ftp://a"] {
            let ticket = GenerationTicket(
                engine: "fal:a/b", requestID: "1", statusURL: url, resultURL: url, cancelURL: url)
            let refused = await ChatBench.failure { try await generator.result(ticket) }
            #expect(refused?.code == .badAnswer)
            let kept = await ChatBench.failure { try await generator.cancel(ticket) }
            #expect(kept?.code == .badAnswer)
        }
        #expect(thief.connections == 0)
    }

    @Test func `a wrong key, a missing model and a field too many are final`() async throws {
        let server = try FalStandIn { Self.picture($0, $1) }
        let wrong = FalImageGenerator(
            endpoint: "fal-ai/flux/srpo", queue: try Self.queue(server, key: "wrong-key:secret"))
        let denied = try #require(await ChatBench.failure { try await wrong.submit(.init(prompt: "a")) })
        #expect(denied.code == .configuration && !denied.isRetryable)
        #expect("\(denied)".contains("FAL_KEY") && !"\(denied)".contains("wrong-key"))
        let missing = try Self.images(server, endpoint: "fal-ai/not-there")
        let absent = await ChatBench.failure { try await missing.submit(.init(prompt: "a")) }
        #expect(absent?.code == .notFound && absent?.isRetryable == false)
        for endpoint in ["flux", "../x", "a//b", "a/b?c"] {
            let odd = try Self.images(server, endpoint: endpoint)
            let error = await ChatBench.failure { try await odd.submit(.init(prompt: "a")) }
            #expect(error?.code == .badRequest)
        }
        #expect(server.orders.isEmpty)
    }

    @Test func `a picture that the filter has blackened is refused`() async throws {
        let server = try FalStandIn(polls: 0) { _, files in
            .done(["images": [["url": .string(files + "/1.png")]], "has_nsfw_concepts": [.bool(true)]])
        }
        let generator = try Self.images(server)
        let error = await ChatBench.failure { try await generator.generate(.init(prompt: "a")) }
        #expect(error?.code == .refused)
    }
}
