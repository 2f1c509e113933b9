import ProviderTestSupport
import Providers
import Testing
import Transfer

struct AnthropicChatTests {
    @Test func `a question is asked with its version, system text and form`() async throws {
        let server = try AnthropicStandIn { .text("{\"a\":\"\($0.messages.count)\"}") }
        let answer = try await ChatBench.model(server).complete(ChatBench.request(format: ChatBench.format))
        #expect(answer.text == "{\"a\":\"1\"}")
        #expect(answer.model == "claude-haiku-4-5-20251001")
        #expect(answer.inputTokens == 100)
        let question = try #require(server.questions.first)
        #expect(question.system == "Be brief.")
        #expect(question.form == .schema)
        #expect(question.maximumTokens == 4096)
    }

    @Test func `a model without formats is given a tool, and its input is the answer`() async throws {
        let server = try AnthropicStandIn(formats: false) { _ in .text(#"{"a":"of the tool"}"#) }
        let model = try ChatBench.model(server)
        for _ in 0..<2 {
            let answer = try await model.complete(ChatBench.request(format: ChatBench.format))
            #expect(answer.text == #"{"a":"of the tool"}"#)
        }
        #expect(server.questions.map(\.form) == [.tool, .tool])
        #expect(server.requests == 3)
    }

    @Test func `an overloaded service is asked again, and then is unavailable`() async throws {
        let server = try AnthropicStandIn { _ in .text("at last") }
        let overloaded = ServiceFault.anthropic(529, "overloaded_error", "Overloaded")
        server.faults.add(overloaded, overloaded, nil, overloaded, overloaded, overloaded)
        let model = try ChatBench.model(server)
        #expect(try await model.complete(ChatBench.request()).text == "at last")
        let error = try #require(await ChatBench.failure { try await model.complete(ChatBench.request()) })
        #expect(error.code == .unavailable && error.isRetryable && error.status == 529)
        #expect(server.requests == 6)
    }

    @Test func `x-should-retry decides`() async throws {
        let server = try AnthropicStandIn { _ in .text("never") }
        server.faults.add(.anthropic(500, "api_error", "Internal", headers: ["x-should-retry": "false"]))
        let model = try ChatBench.model(server)
        let error = try #require(await ChatBench.failure { try await model.complete(ChatBench.request()) })
        #expect(!error.isRetryable)
        #expect(server.requests == 1)
    }

    @Test func `a refusal is final, and a cut answer is asked for again`() async throws {
        let refusing = try AnthropicStandIn { _ in .refusal("no") }
        let model = try ChatBench.model(refusing)
        let error = await ChatBench.failure { try await model.complete(ChatBench.request()) }
        #expect(error?.code == .refused)
        let server = try AnthropicStandIn { $0.number == 1 ? .cutOff("ha") : .text("half") }
        #expect(try await ChatBench.model(server).complete(ChatBench.request()).text == "half")
        #expect(server.questions.map(\.maximumTokens) == [4096, 16384])
    }

    @Test func `a missing or wrong key says which setting to look at`() async throws {
        let server = try AnthropicStandIn { _ in .text("never") }
        for key in [nil, "sk-ant-wrong"] {
            let model = try ChatBench.model(server, key: key)
            let error = try #require(await ChatBench.failure { try await model.complete(ChatBench.request()) })
            #expect(error.code == .configuration)
            #expect("\(error)".contains("ANTHROPIC_API_KEY"))
            #expect(!"\(error)".contains("sk-ant"))
        }
        #expect(server.requests == 1)
    }
}
