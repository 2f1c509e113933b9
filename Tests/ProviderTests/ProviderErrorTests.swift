import Providers
import Testing

struct ProviderErrorTests {
    @Test func `an error names who failed, with what, and what to do`() {
        let error = ProviderError(
            .throttled, "too many requests", provider: "openai", hint: "lower WORKER_CONCURRENCY", requestID: "req_1")
        #expect(error.isRetryable)
        #expect("\(error)" == "openai: too many requests (request req_1). Lower WORKER_CONCURRENCY")
    }
}
