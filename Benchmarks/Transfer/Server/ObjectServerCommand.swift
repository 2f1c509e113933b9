import ArgumentParser
import Foundation
import Glibc
import Locking
import Transfer

/// The hidden subcommand that is an object store: as much of S3 as the contestants say, with a delay before each answer
/// and a limit to each connection's speed.
///
/// It looks at no signature and computes no digest, since it shares the cores with what is measured: a slice of an object
/// costs it the system's copy and nothing else. The tests' server is the strict one.
///
/// It prints its port, and ends when its standard input does.
struct ObjectServerCommand: ParsableCommand {
    static let name = "serve-objects"
    static let configuration = CommandConfiguration(commandName: name, shouldDisplay: false)

    @Option var latencyMilliseconds: Int
    /// Of each connection, in each direction.
    @Option var megabytesPerSecond: Double
    /// "/bucket/key=path" of what is there from the start.
    @Option var object: [String] = []

    func run() throws {
        var shelf = ObjectShelf()
        for one in object {
            let path = one.prefix { $0 != "=" }
            _ = shelf.put(path, [try ByteRegion(mapping: String(one.dropFirst(path.count + 1)))])
        }
        let server = ObjectServer(
            shelf: Locked(shelf), latency: Int64(latencyMilliseconds) * 1_000_000,
            bytesPerSecond: megabytesPerSecond * 1e6)
        let listener = try Self.listen()
        Thread.detachNewThread {
            while true {
                let socket = accept(listener, nil, nil)
                if socket >= 0 { Thread.detachNewThread { server.serve(takingOwnershipOf: socket) } }
            }
        }
        print(Self.port(of: listener))
        fflush(nil)
        var byte: UInt8 = 0
        while read(STDIN_FILENO, &byte, 1) > 0 {}
    }

    private static func listen() throws -> Int32 {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let isBound = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard listener >= 0, isBound, Glibc.listen(listener, 64) == 0 else {
            throw ChildProcess.Failure(description: "no port for the server: \(String(cString: strerror(errno)))")
        }
        return listener
    }

    private static func port(of listener: Int32) -> Int {
        var name = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &name) {
            _ = $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &size) }
        }
        return Int(UInt16(bigEndian: name.sin_port))
    }
}
