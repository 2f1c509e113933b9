import Glibc

/// A port whose queue of connections is full: who connects gets no answer at all.
package final class FullPort: Sendable {
    package let port: Int
    private let descriptors: [Int32]

    package init() throws {
        let listener = try RawSocket.listen("127.0.0.1", backlog: 0)
        port = RawSocket.port(of: listener)
        var descriptors = [listener]
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = UInt16(port).bigEndian
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        // The queue holds one more than it was asked to. Some for good measure.
        for _ in 0..<4 {
            let filler = socket(
                AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
            _ = withUnsafePointer(to: &name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(filler, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            descriptors.append(filler)
        }
        self.descriptors = descriptors
    }

    deinit { for descriptor in descriptors { close(descriptor) } }
}
