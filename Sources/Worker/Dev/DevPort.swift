import Glibc
import MediaKit

/// The port of the API of `kiln dev`.
enum DevPort {
    /// The one that was asked for, or 8000 or the next that is free. It is looked for before the API listens, as the URLs
    /// of the store name it.
    ///
    /// - Parameter asked: 0 for any that is free.
    /// - Throws: ``MediaError`` with code `resource_limit`.
    static func find(_ asked: Int?) throws -> Int {
        if asked == 0 { return try any() }
        for port in asked.map({ $0...$0 }) ?? 8000...8099 {
            switch PortCheck.probe(address: "127.0.0.1", port: port) {
            case .free: return port
            case .taken: continue
            case .refused(let reason):
                guard asked == nil else {
                    throw MediaError(.resourceLimit, "port \(port) cannot be listened at: \(reason)")
                }
            }
        }
        guard let asked else {
            throw MediaError(
                .resourceLimit, "the ports from 8000 to 8099 are taken", hint: "name another one with --port")
        }
        throw MediaError(
            .resourceLimit, "port \(asked) is taken", hint: "name another one with --port, or leave it out")
    }

    private static func any() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let found = withUnsafeMutableBytes(of: &address) { bytes -> Bool in
            guard let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return false }
            return bind(descriptor, pointer, length) == 0 && getsockname(descriptor, pointer, &length) == 0
        }
        guard found else {
            throw MediaError(.resourceLimit, "there is no free port: \(String(cString: strerror(errno)))")
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
