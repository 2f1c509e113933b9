import Glibc

/// A folder for one job's small files, gone with its owner. In memory where the system has such a place: nothing
/// that Kiln does needs a disk.
final class TemporaryFolder {
    let path: String

    init() throws {
        let parents = ["/dev/shm", getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"]
        for parent in parents {
            var template = Array("\(parent)/kiln-XXXXXX".utf8CString)
            if mkdtemp(&template) != nil {
                path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
                return
            }
        }
        throw MediaError(
            .io,
            "cannot make a temporary folder in \(parents.joined(separator: " or ")): \(String(cString: strerror(errno)))"
        )
    }

    deinit {
        if let folder = opendir(path) {
            while let entry = readdir(folder) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != ".", name != ".." { unlink("\(path)/\(name)") }
            }
            closedir(folder)
        }
        rmdir(path)
    }
}
