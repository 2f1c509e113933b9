import FoundationEssentials
import Glibc
import Transfer

/// Whether the ports to listen at are free.
struct PortCheck: DoctorCheck {
    let name = "ports"

    /// A listener to be.
    struct Listener: Sendable {
        var use: String
        var address: String
        var port: Int
        /// What to set instead.
        var variable: String
    }

    enum Answer: Sendable, Equatable {
        case free
        /// Somebody has it.
        case taken
        /// An `errno`'s words.
        case refused(String)
    }

    func run(_ context: DoctorContext) async throws -> [DoctorFinding] {
        let listeners = Self.listeners(context.configuration)
        guard !listeners.isEmpty else {
            return [.ok("none are needed: neither the API nor ENABLE_HEALTH_CHECK is on")]
        }
        var findings: [DoctorFinding] = []
        for listener in listeners {
            let answer = try await Bounded.blocking { Self.probe(address: listener.address, port: listener.port) }
            let isOwn = if answer == .taken { await Self.isKiln(listener) } else { false }
            findings.append(Self.finding(listener, answer, isOwn: isOwn))
        }
        return findings
    }

    private static func listeners(_ configuration: WorkerConfiguration) -> [Listener] {
        var listeners: [Listener] = []
        let (http, health) = (configuration.http, configuration.health)
        if http.isEnabled || configuration.worker.role == .api {
            listeners.append(
                Listener(use: "the API", address: http.address, port: http.port, variable: "KILN_HTTP_PORT"))
        }
        if health.isEnabled {
            listeners.append(
                Listener(
                    use: "health and metrics", address: health.address, port: health.port,
                    variable: "HEALTH_CHECK_PORT"))
        }
        return listeners
    }

    static func finding(_ listener: Listener, _ answer: Answer, isOwn: Bool) -> DoctorFinding {
        let place = "\(listener.address), port \(listener.port) (\(listener.use))"
        switch answer {
        case .free: return .ok("\(place) is free")
        case .taken where isOwn: return .note("\(place) is taken by a Kiln that runs already")
        case .taken:
            return .wrong(
                "\(place) is taken", "stop what listens there (ss -ltnp), or set \(listener.variable) to another port")
        case .refused(let reason):
            return .wrong("\(place) cannot be listened at: \(reason)", "set \(listener.variable), or the address")
        }
    }

    /// Binds the port as a server does, and lets it go.
    static func probe(address: String, port: Int) -> Answer {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(address, "\(port)", &hints, &list)
        guard status == 0, let first = list else {
            return .refused(gai_strerror(status).map { String(cString: $0) } ?? "no such address")
        }
        defer { freeaddrinfo(list) }
        let descriptor = socket(first.pointee.ai_family, first.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return .refused(String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard bind(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0, listen(descriptor, 1) == 0 else {
            return errno == EADDRINUSE ? .taken : .refused(String(cString: strerror(errno)))
        }
        return .free
    }

    /// Whether the one who has the port answers as Kiln's health does.
    private static func isKiln(_ listener: Listener) async -> Bool {
        struct Health: Decodable {
            var status: String
            var uptime: Double
        }
        let host =
            switch listener.address {
            case "0.0.0.0": "127.0.0.1"
            case "::": "[::1]"
            case let address where address.contains(":"): "[\(address)]"
            default: listener.address
            }
        guard let url = try? HTTPURL("http://\(host):\(listener.port)/health"),
            let client = try? HTTPClient(
                HTTPConfiguration(
                    timeouts: HTTPTimeouts(connect: .seconds(2), stall: .seconds(2), whole: .seconds(3)),
                    retries: .none),
                logger: DoctorContext.silence),
            let reply = try? await client.send(HTTPRequest(.get, url, destination: .trusted), limit: 1 << 16)
        else { return false }
        return (try? JSONDecoder().decode(Health.self, from: Data(reply.body))) != nil
    }
}
