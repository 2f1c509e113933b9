import ProviderTestSupport
import Providers
import Testing
import Transfer

struct OpenAIChatTests {
    @Test func `a question is asked with its system text, budget and strict schema, and answered with its costs`()
        async throws
    {
        let server = try OpenAIChatStandIn { .text("you said: " + $0.prompt) }
        let model = try ChatBench.model(server)
        let answer = try await model.complete(ChatBench.request(format: ChatBench.format))
        #expect(answer.text == "you said: Say \"hello\"\nplease.")
        #expect(answer.model == "gpt-4o-mini-2024-07-18")
        #expect(answer.inputTokens > 0 && answer.outputTokens > 0)
        let question = try #require(server.questions.first)
        #expect(question.system == "Be brief.")
        #expect(question.form == .schema)
        #expect(question.maximumTokens == 4096)
        #expect(question.temperature == 0)
        #expect(model.engineName == "openai:gpt-4o-mini")
    }

    @Test func `a server that knows no schemas is asked for an object, and not again for a schema`() async throws {
        let server = try OpenAIChatStandIn(abilities: .init(schemas: false)) { _ in .text("{}") }
        let model = try ChatBench.model(server)
        for _ in 0..<2 { _ = try await model.complete(ChatBench.request(format: ChatBench.format)) }
        #expect(server.questions.map(\.form) == [.object, .object])
        #expect(server.questions[0].system.contains(ChatBench.format.schema))
        #expect(server.requests == 3)
    }

    @Test func `an old server without a key gets the form in words, max_tokens and no temperature`() async throws {
        let server = try OpenAIChatStandIn(
            key: nil, abilities: .init(schemas: false, objects: false, newBudget: false, temperature: false)
        ) { _ in .text("{}") }
        let model = try ChatBench.model(server, key: nil)
        for _ in 0..<2 { _ = try await model.complete(ChatBench.request(format: ChatBench.format)) }
        #expect(server.questions.map(\.form) == [.none, .none])
        #expect(server.questions.allSatisfy { $0.temperature == nil })
        #expect(server.questions[0].system.contains(ChatBench.format.schema))
        #expect(server.requests == 6)
    }

    @Test func `an answer that is cut off is asked for once more with a larger budget, and both are counted`()
        async throws
    {
        let server = try OpenAIChatStandIn { $0.number == 1 ? .cutOff("half of it") : .text("all of it") }
        let answer = try await ChatBench.model(server).complete(ChatBench.request())
        #expect(answer.text == "all of it")
        #expect(server.questions.map(\.maximumTokens) == [4096, 16384])
        let once = try OpenAIChatStandIn { _ in .text("all of it") }
        let alone = try await ChatBench.model(once).complete(ChatBench.request())
        #expect(answer.inputTokens == alone.inputTokens * 2)
    }

    @Test func `an answer that is cut off twice is a bad answer that says what to do`() async throws {
        let server = try OpenAIChatStandIn { _ in .cutOff("half") }
        let model = try ChatBench.model(server)
        let error = try #require(await ChatBench.failure { try await model.complete(ChatBench.request()) })
        #expect(error.code == .badAnswer)
        #expect(error.hint?.contains("less at a time") == true)
        #expect(server.requests == 2)
    }

    @Test(arguments: [ChatStandInReply.refusal("I can't help with that."), .filtered])
    func `refusals and filters are final, and what the model said is not repeated`(reply: ChatStandInReply) async throws
    {
        let server = try OpenAIChatStandIn { _ in reply }
        let model = try ChatBench.model(server)
        let error = try #require(await ChatBench.failure { try await model.complete(ChatBench.request()) })
        #expect(error.code == .refused)
        #expect(!error.isRetryable)
        #expect(error.requestID == "req_1")
        #expect(!"\(error)".contains("can't help"))
    }

    @Test func `a server that is briefly overloaded or broken is asked again`() async throws {
        let server = try OpenAIChatStandIn { _ in .text("at last") }
        server.faults.add(
            .openAI(429, "Rate limit reached", code: "rate_limit_exceeded", headers: ["retry-after-ms": "3"]),
            .openAI(500, "The server had an error", type: "server_error"), nil)
        let answer = try await ChatBench.model(server).complete(ChatBench.request())
        #expect(answer.text == "at last")
        #expect(server.requests == 3)
    }

    @Test func `a long wait is left to the queue`() async throws {
        let server = try OpenAIChatStandIn { _ in .text("never") }
        server.faults.add(.openAI(429, "Rate limit reached", headers: ["Retry-After": "120"]))
        let model = try ChatBench.model(server)
        let error = try #require(await ChatBench.failure { try await model.complete(ChatBench.request()) })
        #expect(error.code == .throttled)
        #expect(error.isRetryable)
        #expect(error.retryAfter == .seconds(120))
        #expect(server.requests == 1)
    }

    @Test func `an account without money is not asked again`() async throws {
        let server = try OpenAIChatStandIn { _ in .text("never") }
        server.faults.add(.openAI(429, "You exceeded your current quota", code: "insufficient_quota"))
        let model = try ChatBench.model(server)
        let error = try #require(await ChatBench.failure { try await model.complete(ChatBench.request()) })
        #expect(error.code == .quota)
        #expect(!error.isRetryable)
        #expect(server.requests == 1)
    }

    @Test func `a wrong key is a matter of configuration, and is not shown`() async throws {
        let server = try OpenAIChatStandIn { _ in .text("never") }
        let model = try ChatBench.model(server, key: "sk-wrong-9876543210")
        let error = try #require(await ChatBench.failure { try await model.complete(ChatBench.request()) })
        #expect(error.code == .configuration)
        #expect(error.hint?.contains("OPENAI_API_KEY") == true)
        #expect(!"\(error)".contains("9876543210"))
    }

    @Test func `what a service says is shown, but not where it repeats the question`() async throws {
        let server = try OpenAIChatStandIn { _ in .text("never") }
        let model = try ChatBench.model(server)
        let request = ChatRequest(
            system: "", messages: [.init(.user, "My card's number is 4111 1111 1111 1111, thanks.")])
        server.faults.add(.openAI(404, "The model `gpt-9` does not exist", code: "model_not_found"))
        let missingFailure = await ChatBench.failure { try await model.complete(request) }
        let missing = try #require(missingFailure)
        #expect(missing.code == .notFound)
        #expect("\(missing)".contains("gpt-9"))
        server.faults.add(
            .openAI(400, "Invalid: My card's number is 4111 1111 1111 1111, thanks.", parameter: "messages"))
        let echoedFailure = await ChatBench.failure { try await model.complete(request) }
        let echoed = try #require(echoedFailure)
        #expect(echoed.code == .badRequest)
        #expect(!"\(echoed)".contains("4111"))
    }

    @Test func `an answer that is cut short is an error that may pass`() async throws {
        let server = try OpenAIChatStandIn { _ in .text("a long enough answer to be cut in two") }
        let model = try ChatBench.model(server)
        server.faults.add(.cutBody)
        let lost = try #require(await ChatBench.failure { try await model.complete(ChatBench.request()) })
        #expect(lost.code == .unavailable && lost.isRetryable)
        server.faults.add(.truncatedJSON)
        let cut = try #require(await ChatBench.failure { try await model.complete(ChatBench.request()) })
        #expect(cut.code == .badAnswer && cut.isRetryable)
        // Neither was sent again by itself: an answer may have been paid for.
        #expect(server.requests == 2)
    }

    @Test func `a server that says nothing is given up`() async throws {
        let server = try OpenAIChatStandIn { _ in .text("never") }
        server.faults.add(.stall)
        let model = try ChatBench.model(server, timeouts: HTTPTimeouts(stall: .milliseconds(200)))
        let error = try #require(await ChatBench.failure { try await model.complete(ChatBench.request()) })
        #expect(error.code == .unavailable)
        #expect(error.isRetryable)
    }

    @Test func `a conversation that no service takes is refused here`() async throws {
        let server = try OpenAIChatStandIn { _ in .text("never") }
        let model = try ChatBench.model(server)
        for request in [
            ChatRequest(system: "", messages: []), ChatRequest(system: "", messages: [.init(.assistant, "a")]),
            ChatRequest(system: "", messages: [.init(.user, "a")], format: .init(name: "no blanks", schema: "{}")),
            ChatRequest(system: "", messages: [.init(.user, "a")], format: .init(name: "a", schema: "{")),
        ] {
            let error = await ChatBench.failure { try await model.complete(request) }
            #expect(error?.code == .badRequest)
        }
        #expect(server.requests == 0)
    }
}
