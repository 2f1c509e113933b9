import Glibc

/// A folder for one job's small files, gone with its owner. In memory where the system has such a place: nothing
/// that Kiln does needs a disk.
///
/// A process that is killed cannot remove its folder. Each holds a locked file, and the next folder to be made removes
/// those whose lock nobody holds any more.
final class TemporaryFolder {
    let path: String
    private let lock: Int32
    private static let prefix = "kiln-job-"
    private static let lockName = "lock"

    init() throws {
        let parents = ["/dev/shm", getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"]
        // A colon separates the options of encoders that are told of a path.
        for parent in parents where !parent.contains(":") {
            Self.removeAbandoned(in: parent)
            var template = Array("\(parent)/\(Self.prefix)XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else { continue }
            path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            // A folder that cannot be locked is merely not removed by others.
            lock = open("\(path)/\(Self.lockName)", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
            if lock >= 0 { flock(lock, LOCK_EX | LOCK_NB) }
            return
        }
        throw MediaError(
            .io,
            "cannot make a temporary folder in \(parents.joined(separator: " or ")): \(String(cString: strerror(errno)))"
        )
    }

    deinit {
        Self.remove(path)
        if lock >= 0 { close(lock) }
    }

    private static func removeAbandoned(in parent: String) {
        for name in names(in: parent) where name.hasPrefix(prefix) {
            let folder = "\(parent)/\(name)"
            let lock = open("\(folder)/\(lockName)", O_RDWR | O_CLOEXEC | O_NOFOLLOW)
            // Without a lock it is just being made, or somebody else's.
            guard lock >= 0 else { continue }
            if flock(lock, LOCK_EX | LOCK_NB) == 0 { remove(folder) }
            close(lock)
        }
    }

    private static func remove(_ folder: String) {
        for name in names(in: folder) { unlink("\(folder)/\(name)") }
        rmdir(folder)
    }

    private static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
