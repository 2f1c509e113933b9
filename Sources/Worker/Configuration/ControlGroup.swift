import Glibc

/// What the kernel's control groups allow this process.
enum ControlGroup {
    /// Bytes of memory: the least of the limits of this process's group and those above it; `nil` for none.
    ///
    /// Version 2 has `memory.max`, version 1 `memory.limit_in_bytes`. See "Control Group v2", Memory Interface Files,
    /// and "Memory Resource Controller" in the kernel's documentation.
    ///
    /// - Parameter read: the text of a file, `nil` where there is none.
    static func memoryLimit(reading read: (String) -> String? = readFile) -> Int64? {
        guard let own = read("/proc/self/cgroup") else { return nil }
        // "0::/path" of version 2, "9:memory,hugetlb:/path" of version 1.
        let groups = own.split(separator: "\n").map { line in
            line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        }.filter { $0.count == 3 }
        let unified = groups.first { $0[0] == "0" && $0[1].isEmpty }?[2]
        let legacy = groups.first { $0[1].split(separator: ",").contains("memory") }?[2]
        return [
            unified.flatMap { least("memory.max", below: "/sys/fs/cgroup", path: $0, read) },
            legacy.flatMap { least("memory.limit_in_bytes", below: "/sys/fs/cgroup/memory", path: $0, read) },
        ].compactMap { $0 }.min()
    }

    /// The least number in the files of that name from a group up to the root. In a container, the path may be one
    /// that exists outside only; its own group is then the root.
    private static func least(_ file: String, below root: String, path: String, _ read: (String) -> String?) -> Int64? {
        var path = path
        var least: Int64?
        while true {
            let folder = root + (path == "/" ? "" : path)
            if let text = read("\(folder)/\(file)"), let limit = Int64(text.trimmed), limit > 0 {
                least = min(least ?? .max, limit)
            }
            guard path.count > 1, let slash = path.lastIndex(of: "/") else { return least }
            path = slash == path.startIndex ? "/" : String(path[..<slash])
        }
    }

    /// The first 4 KiB of a file; `nil` if it cannot be read.
    static func readFile(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}

extension StringProtocol {
    /// Without white space at either end: variables from files tend to end with a line.
    var trimmed: String {
        let start = self.drop { $0.isWhitespace }
        guard let end = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...end])
    }
}
