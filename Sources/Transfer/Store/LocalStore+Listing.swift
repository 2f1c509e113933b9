import Glibc

extension LocalStore {
    public func list(prefix: String, from start: String?, limit: Int) async throws -> ObjectPage {
        guard (1...1000).contains(limit) else {
            throw TransferError(
                .badRequest, "a page of a listing has 1 to 1000 objects, not \(limit)", mayHaveTakenEffect: false)
        }
        return try await OwnThread.run {
            _ = try folder.resolved()
            var objects: [ObjectInfo] = []
            // One more than asked for tells whether there are more.
            try visit("", prefix: Array(prefix.utf8), after: start.map { Array($0.utf8) }) { info in
                objects.append(info)
                return objects.count <= limit
            }
            guard objects.count > limit else { return ObjectPage(objects: objects) }
            objects.removeLast()
            return ObjectPage(objects: objects, next: objects.last?.key)
        }
    }

    /// Calls `body` with the objects of a folder and all below it, in the order of the bytes of their keys.
    ///
    /// - Parameter folder: "" for the root, or with a "/" at its end.
    /// - Returns: false once `body` has.
    @discardableResult
    private func visit(
        _ folder: String, prefix: [UInt8], after start: [UInt8]?, _ body: (ObjectInfo) throws -> Bool
    ) throws -> Bool {
        for entry in entries(of: folder).sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            let key = folder + entry
            let bytes = Array(key.utf8)
            if entry.hasSuffix("/") {
                // Nothing below it can count if neither can begin with the other.
                guard bytes.starts(with: prefix) || prefix.starts(with: bytes) else { continue }
                // All below it comes before `start`, unless that is below it, too.
                if let start, !start.starts(with: bytes), bytes.lexicographicallyPrecedes(start) { continue }
                guard try visit(key, prefix: prefix, after: start, body) else { return false }
            } else {
                guard bytes.starts(with: prefix), start.map({ $0.lexicographicallyPrecedes(bytes) }) ?? true,
                    let info = info(key)
                else { continue }
                guard try body(info) else { return false }
            }
        }
        return true
    }

    /// Names in a folder; those of folders end in "/", so that they are sorted as keys are.
    private func entries(of folder: String) -> [String] {
        guard let stream = opendir("\(root)/\(folder)") else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                // A name that is no UTF-8 is no key.
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
            }
            guard let name, name != ".", name != "..", !Self.isPartial(name) else { continue }
            var status = stat()
            // Links are not followed: they could lead round in a circle.
            guard lstat("\(root)/\(folder)\(name)", &status) == 0 else { continue }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: names.append(name + "/")
            case S_IFREG, S_IFLNK: names.append(name)
            default: break
            }
        }
        return names
    }

    /// `nil` for what is gone meanwhile, and for links to folders or to what is outside.
    private func info(_ key: String) -> ObjectInfo? {
        guard let path = try? folder.existing(path(key)) else { return nil }
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return ObjectInfo(key: key, status)
    }
}
