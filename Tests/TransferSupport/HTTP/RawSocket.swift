import Glibc

/// Sockets of the loopback, and what their calls fail of.
enum RawSocket {
    /// A socket that listens on a free port.
    ///
    /// - Parameters:
    ///   - address: four decimal numbers, of 127.0.0.0/8.
    ///   - backlog: how many connections the system accepts by itself.
    static func listen(_ address: String, backlog: Int32) throws -> Int32 {
        let descriptor = try bind(address, port: 0)
        do { try listen(descriptor, backlog: backlog) } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    static func listen(_ descriptor: Int32, backlog: Int32) throws {
        guard Glibc.listen(descriptor, backlog) == 0 else { throw RawServerError("listen", errno) }
    }

    /// A socket that has a port, which nobody else gets. Who connects is refused until it listens.
    ///
    /// - Parameter port: 0 for a free one.
    static func bind(_ address: String, port: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw RawServerError("socket", errno) }
        if port != 0 {
            // For a server that comes back. With it, two sockets may have a port on which neither listens yet.
            var on: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = UInt16(port).bigEndian
        inet_pton(AF_INET, address, &name.sin_addr)
        let bound = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard bound == 0 else {
            let number = errno
            close(descriptor)
            throw RawServerError("bind to \(address):\(port)", number)
        }
        return descriptor
    }

    static func port(of descriptor: Int32) -> Int {
        var name = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &name) {
            _ = $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
        }
        return Int(UInt16(bigEndian: name.sin_port))
    }
}

/// A failure of a test's server, or an end of its connection that the test did not ask for.
package struct RawServerError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
    init(_ operation: String, _ number: Int32) { description = "\(operation): \(String(cString: strerror(number)))" }
}
