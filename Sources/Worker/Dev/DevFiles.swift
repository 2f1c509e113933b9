import FoundationEssentials
import Glibc
import MediaKit

/// Files on their way into the store of `kiln dev` and out of it.
enum DevFiles {
    /// Brings a file to another place, where it appears when it is whole: by a second name for the same bytes where the
    /// file system allows it, else as a copy. What is there is replaced.
    ///
    /// Blocks.
    ///
    /// - Throws: ``MediaError`` with code `not_found`, `bad_input`, `cannot_create` or `io`.
    static func bring(_ source: String, to target: String) throws {
        let file = open(source, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            throw MediaError(
                errno == ENOENT ? .notFound : .io, "cannot read \(source): \(String(cString: strerror(errno)))",
                input: source)
        }
        defer { close(file) }
        var info = stat()
        guard fstat(file, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
            throw MediaError(.badInput, "\(source) is no file", input: source)
        }
        try makeFolder(of: target)
        let slash = target.lastIndex(of: "/") ?? target.startIndex
        let hidden = "\(target[..<slash])/.\(UUID().uuidString).partial"
        if linkat(AT_FDCWD, source, AT_FDCWD, hidden, Int32(AT_SYMLINK_FOLLOW)) != 0 {
            do { try copy(file, info.st_size, to: hidden, source) } catch {
                unlink(hidden)
                throw error
            }
        }
        guard rename(hidden, target) == 0 else {
            let reason = String(cString: strerror(errno))
            unlink(hidden)
            throw MediaError(.cannotCreate, "cannot create \(target): \(reason)")
        }
        // Two names of one file are renamed to each other by doing nothing.
        unlink(hidden)
    }

    /// Removes a file, or a folder with what is in it. That there is none is no error.
    static func removeAll(_ path: String) throws {
        var info = stat()
        guard lstat(path, &info) == 0 else { return }
        do { try FileManager.default.removeItem(atPath: path) } catch {
            throw MediaError(
                .io, "cannot remove \(path), which an earlier kiln dev has left", hint: "remove it", cause: error)
        }
    }

    static func makeFolder(of path: String) throws {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return }
        let folder = String(path[..<slash])
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw MediaError(.cannotCreate, "cannot create the folder \(folder)", cause: error)
        }
    }

    private static func copy(_ source: Int32, _ size: off_t, to path: String, _ name: String) throws {
        let target = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard target >= 0 else {
            throw MediaError(.cannotCreate, "cannot create \(path): \(String(cString: strerror(errno)))")
        }
        defer { close(target) }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(source, &buffer, buffer.count)
            if count == 0 { return }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw MediaError(.io, "cannot read \(name): \(String(cString: strerror(errno)))", input: name)
            }
            var done = 0
            while done < count {
                let written = buffer.withUnsafeBytes {
                    Glibc.write(target, $0.baseAddress.map { $0 + done }, count - done)
                }
                if written < 0, errno == EINTR { continue }
                guard written > 0 else {
                    throw MediaError(.io, "cannot write \(path): \(String(cString: strerror(errno)))")
                }
                done += written
            }
        }
    }

    /// Letters that mean nothing to any shell or URL, so that what is printed can be pasted.
    static func plainName(_ name: String) -> String {
        let letters = name.unicodeScalars.map { scalar in
            scalar.isASCII && (scalar.properties.isAlphabetic || "0123456789.-_".unicodeScalars.contains(scalar))
                ? Character(scalar) : "-"
        }
        let plain = String(letters).drop { $0 == "." || $0 == "-" }
        return plain.isEmpty ? "file" : String(plain.suffix(100))
    }
}
