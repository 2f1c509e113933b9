import Glibc
import MediaKit

/// A folder that `kiln dev` may trust: no link, of an owner that is expected, and nobody else's to write to.
///
/// What is done by its descriptor is done to the folder that was looked at, whatever its name leads to by then. For root
/// that matters: a link that another user has laid would lead it to anything on the machine.
struct OwnFolder: ~Copyable {
    let descriptor: Int32

    /// Opens it and looks.
    ///
    /// - Parameter owners: any of them; this process's user unless given.
    /// - Throws: ``MediaError`` with code `not_found` if there is nothing of that name, `cannot_create` if it is not as it
    ///   should be.
    init(_ path: String, of owners: [uid_t] = [geteuid()]) throws {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            switch errno {
            case ENOENT: throw MediaError(.notFound, "there is no folder \(path)")
            case ENOTDIR, ELOOP: throw Self.refusal(path, "is no folder, but a link or a file")
            default: throw Self.refusal(path, "cannot be opened: \(String(cString: strerror(errno)))")
            }
        }
        var info = stat()
        let flaw: String? =
            if fstat(descriptor, &info) != 0 {
                "cannot be looked at: \(String(cString: strerror(errno)))"
            } else if !owners.contains(info.st_uid) {
                "belongs to another user, number \(info.st_uid)"
            } else if info.st_mode & 0o022 != 0 {
                "may be written to by other users"
            } else {
                nil
            }
        if let flaw {
            close(descriptor)
            throw Self.refusal(path, flaw)
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Makes a folder where there is nothing of that name. What is there is not looked at.
    static func make(_ path: String, mode: mode_t) throws {
        guard mkdir(path, mode) == 0 || errno == EEXIST else {
            throw MediaError(
                .cannotCreate, "cannot create \(path): \(String(cString: strerror(errno)))",
                hint: "go to a folder that you may write to")
        }
    }

    /// What `kiln dev` says of a thing that it did not make, or that others could have changed.
    static func refusal(_ path: String, _ flaw: String) -> MediaError {
        MediaError(
            .cannotCreate, "\(path) \(flaw): kiln dev does not use what others may have laid there",
            hint: "look at it and remove it, or go to another folder")
    }
}
