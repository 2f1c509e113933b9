import Foundation
import Glibc
import Testing
import Transfer
import TransferTestSupport

@testable import Server

@Suite struct LimitTests {
    @Test func `A bucket gives what it holds, and then what comes`() {
        var bucket = TokenBucket(capacity: 2, rate: 0.5, at: .zero)
        #expect(bucket.take(at: .zero) && bucket.take(at: .zero) && !bucket.take(at: .seconds(1)))
        #expect(bucket.secondsToNext(at: .seconds(1)) == 1)
        #expect(bucket.take(at: .seconds(2)) && !bucket.take(at: .seconds(2)))
        #expect(bucket.remaining(at: .seconds(100)) == 2 && bucket.isFull(at: .seconds(100)))
        // A clock that goes back takes nothing away.
        #expect(bucket.remaining(at: .seconds(50)) == 2)
    }

    @Test func `Callers have limits of their own, and are told of them`() async throws {
        try await withAPI(settings: {
            $0.limits.rate = .init(burst: 3, perSecond: 0.01)
        }) { (api) async throws in
            let first = try await api.get("/v1/queues")
            #expect(first.status == 200 && first.headers["RateLimit"]?.hasPrefix("\"requests\";r=2;t=") == true)
            #expect(first.headers["RateLimit-Policy"] == "\"requests\";q=3;w=300")
            _ = try await api.get("/v1/queues")
            _ = try await api.get("/v1/nothing")
            let refused = try await api.get("/v1/queues")
            #expect(refused.status == 429 && refused.code == "too_many_requests")
            let wait = try #require(refused.headers["Retry-After"].flatMap { Int($0) })
            #expect((1...100).contains(wait))
        }
    }

    @Test func `Behind a proxy it is the client that is counted, and only the proxy is believed`() async throws {
        try await withAPI(
            settings: {
                $0.limits.rate = .init(burst: 1, perSecond: 0.001)
                $0.proxies = 1
            },
            prepare: { queue in
                _ = try await TokenStore(queue).create(name: "there is one", scopes: [.read])
            }
        ) { (api) async throws in
            #expect(try await api.get("/health", headers: ["X-Forwarded-For": "192.0.2.1"]).status == 200)
            #expect(try await api.get("/health", headers: ["X-Forwarded-For": "192.0.2.2"]).status == 200)
            // What a client writes there itself stands before what the proxy appends.
            #expect(try await api.get("/health", headers: ["X-Forwarded-For": "192.0.2.3, 192.0.2.1"]).status == 429)
        }
    }

    @Test func `A body that is too large is refused, announced or not`() async throws {
        try await withAPI(settings: {
            $0.limits.bodyBytes = 1000
        }) { (api) async throws in
            let body = "{\"kind\": \"k\", \"payload\": \"\(String(repeating: "x", count: 2000))\"}"
            let announced = try await api.post("/v1/jobs", body)
            #expect(announced.status == 413 && announced.code == "too_large")
            let answer = try await raw(
                api.port,
                "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "7d0\r\n\(String(repeating: " ", count: 2000))\r\n0\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 413 "), "\(answer)")
            #expect(answer.contains("\"code\":\"too_large\""))
        }
    }

    @Test func `A header that is too large, and what is no HTTP, are problems as well`() async throws {
        try await withAPI { (api) async throws in
            let large = try await raw(
                api.port,
                "GET /health HTTP/1.1\r\nHost: localhost\r\nX-Long: \(String(repeating: "x", count: 20_000))\r\n\r\n")
            #expect(large.hasPrefix("HTTP/1.1 431 ") && large.contains("\"code\":\"headers_too_large\""), "\(large)")
            let garbage = try await raw(api.port, "this is not HTTP\r\n\r\n")
            #expect(garbage.hasPrefix("HTTP/1.1 400 ") && garbage.contains("application/problem+json"), "\(garbage)")
            // Others are served all the same.
            #expect(try await api.get("/health").status == 200)
        }
    }

    @Test func `A body that does not come is not waited for without end`() async throws {
        try await withAPI(settings: {
            $0.limits.body = .milliseconds(200)
        }) { (api) async throws in
            let answer = try await raw(
                api.port,
                "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
            )
            #expect(answer.hasPrefix("HTTP/1.1 408 ") && answer.contains("\"code\":\"too_slow\""), "\(answer)")
        }
    }

    @Test func `A body that nobody reads ends the connection`() async throws {
        try await withAPI { (api) async throws in
            let answer = try await raw(
                api.port,
                "POST /v1/nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n{")
            #expect(answer.hasPrefix("HTTP/1.1 404 "), "\(answer)")
            #expect(answer.lowercased().contains("connection: close"))
        }
    }

    @Test func `A head that does not come ends the connection`() async throws {
        try await withAPI(settings: {
            $0.limits.idle = .milliseconds(200)
        }) { (api) async throws in
            #expect(try await raw(api.port, "GET /health HTTP/1.1\r\nHost:") == "")
        }
    }
}

/// Sends bytes, and returns all that comes until the server hangs up.
func raw(_ port: Int, _ text: String) async throws -> String {
    try await BlockingThread.run {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw RawServerError("no connection") }
        var patience = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            answer += buffer[..<count]
        }
        return String(decoding: answer, as: UTF8.self)
    }
}
