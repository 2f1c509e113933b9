import Testing

@testable import Transfer

@Suite struct RetryAdviceTests {
    /// Sun, 06 Nov 1994 08:49:37 GMT
    private static let moment = 784_111_777.0

    @Test(arguments: [
        ("Sun, 06 Nov 1994 08:49:37 GMT", Int64(784_111_777)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
        ("Sun Nov  6 08:49:37 1994", 784_111_777),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Thu, 29 Feb 2024 23:59:60 GMT", 1_709_251_200),
    ])
    func `reads a date`(text: String, seconds: Int64) {
        #expect(HTTPDate.seconds(text, now: Self.moment) == seconds)
    }

    @Test(arguments: [
        "", "soon", "Sun, 06 Nov 1994", "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 99999 08:49:37 GMT", "06 Nov 1994 08:49:37 GMT extra",
    ])
    func `takes for no date`(text: String) {
        #expect(HTTPDate.seconds(text, now: Self.moment) == nil)
    }

    @Test func `a year of two digits is the nearest that is not far ahead`() {
        #expect(HTTPDate.seconds("Wednesday, 01-Jan-25 00:00:00 GMT", now: 1_700_000_000) == 1_735_689_600)
        #expect(HTTPDate.seconds("Friday, 01-Jan-99 00:00:00 GMT", now: 1_700_000_000) == 915_148_800)
    }

    @Test func `seconds, with and without a fraction`() {
        #expect(RetryAdvice(["Retry-After": "7"], now: 0).wait == .seconds(7))
        #expect(RetryAdvice(["retry-after": "1.5"], now: 0).wait == .milliseconds(1500))
        #expect(RetryAdvice(["Retry-After": "-3"], now: 0).wait == .zero)
        #expect(RetryAdvice(["Retry-After": "nan"], now: 0).wait == nil)
        #expect(RetryAdvice(["Retry-After": "1e300"], now: 0).wait == .seconds(86_400 * 366))
        #expect(RetryAdvice([:], now: 0).wait == nil)
    }

    @Test func `milliseconds come before seconds`() {
        #expect(RetryAdvice(["Retry-After": "7", "retry-after-ms": "250"], now: 0).wait == .milliseconds(250))
    }

    @Test func `a date counts from the server's own clock`() {
        let headers: HTTPHeaders = [
            "Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT", "Date": "Sun, 06 Nov 1994 08:49:30 GMT",
        ]
        #expect(RetryAdvice(headers, now: 5).wait == .seconds(7))
        #expect(RetryAdvice(["Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"], now: Self.moment - 3).wait == .seconds(3))
        #expect(RetryAdvice(["Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"], now: Self.moment + 3).wait == .zero)
    }

    @Test func `a server may say yes or no by itself`() {
        #expect(RetryAdvice(["x-should-retry": "true"], now: 0).shouldRetry == true)
        #expect(RetryAdvice(["x-should-retry": "false"], now: 0).shouldRetry == false)
        #expect(RetryAdvice(["x-should-retry": "perhaps"], now: 0).shouldRetry == nil)
    }
}
