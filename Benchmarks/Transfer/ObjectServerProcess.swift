import FoundationEssentials
import Glibc
import Transfer

/// The object server in a process of its own, which ends with the last reference.
final class ObjectServerProcess: Sendable {
    /// How far away and how fast it is.
    struct Line {
        /// Before each answer.
        var latencyMilliseconds: Int
        /// Of each connection, in each direction.
        var megabytesPerSecond: Double
    }

    static let bucket = "media"

    let endpoint: String
    private let process: pid_t
    /// The server ends when this is closed.
    private let input: Int32
    private let client: HTTPClient

    /// - Parameter objects: paths of files by the keys that they shall have.
    init(_ line: Line, objects: [String: String]) throws {
        let arguments =
            [
                ObjectServerCommand.name, "--latency-milliseconds", "\(line.latencyMilliseconds)",
                "--megabytes-per-second", "\(line.megabytesPerSecond)",
            ] + objects.flatMap { ["--object", "/\(Self.bucket)/\($0.key)=\($0.value)"] }
        let server = ChildProcess(program: try ChildTask.ownPath(), arguments: arguments)
        client = try HTTPClient()
        let (theirInput, ourInput) = try Self.pipe(), (ourOutput, theirOutput) = try Self.pipe()
        defer { close(ourOutput) }
        process = try server.start(input: theirInput, output: theirOutput, errors: STDERR_FILENO)
        input = ourInput
        close(theirInput)
        // With this end open, the server's death would not be noticed below.
        close(theirOutput)
        let port = Self.line(from: ourOutput)
        endpoint = "http://127.0.0.1:\(port)"
        guard !port.isEmpty else { throw ChildProcess.Failure(description: "the object server does not start") }
    }

    deinit {
        close(input)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
    }

    // MARK: What happened

    func forget() async throws { _ = try await send("forget") }

    func counts() async throws -> ServerCounts {
        try JSONDecoder().decode(ServerCounts.self, from: Data(try await send("counts").body))
    }

    /// Writes an object into a file, without counting that.
    func fetch(_ key: String, to path: String) async throws {
        let file = try NewFile(path)
        let request = try request("\(Self.bucket)/\(key)")
        try await client.withResponse(request) { response in
            for try await chunk in response.body { try file.write(chunk) }
        }
    }

    private func request(_ name: String) throws -> HTTPRequest {
        HTTPRequest(.get, try HTTPURL(endpoint + ObjectServer.control + name), destination: .trusted)
    }

    private func send(_ name: String) async throws -> HTTPReply { try await client.send(try request(name)) }

    // MARK: Pipes

    /// Ends that no other child inherits.
    private static func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        guard Glibc.pipe(&ends) == 0 else {
            throw ChildProcess.Failure(description: "no pipe: \(String(cString: strerror(errno)))")
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    private static func line(from descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while read(descriptor, &byte, 1) == 1, byte != 10 { bytes.append(byte) }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A file that is written from start to end, as `curl -o` does it: left to the system's cache, not to the device.
final class NewFile: Sendable {
    private let descriptor: Int32

    init(_ path: String) throws {
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Self.failure("create \(path)") }
    }

    deinit { close(descriptor) }

    func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = UnsafeRawBufferPointer(rebasing: rest)
            let count = Glibc.write(descriptor, piece.baseAddress, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("write a file") }
            rest = rest.dropFirst(count)
        }
    }

    private static func failure(_ what: String) -> ChildProcess.Failure {
        ChildProcess.Failure(description: "cannot \(what): \(String(cString: strerror(errno)))")
    }
}
