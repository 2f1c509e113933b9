import Glibc

/// A folder that names are looked up below, and that none of them leads out of: neither by "..", nor by a symbolic
/// link. A link within it to somewhere within it is followed.
///
/// Links that appear between the look and the use are not seen: what is written here is never one.
struct ConfinedFolder: Sendable, Hashable {
    /// Absolute.
    let path: String

    /// The folder itself, without links.
    ///
    /// - Throws: ``TransferError`` with code `io`.
    func resolved() throws(TransferError) -> String {
        guard let real = Self.real(path) else {
            throw TransferError(
                .io, "the folder \(path) cannot be used: \(String(cString: strerror(errno)))",
                hint: "create it, or configure another", mayHaveTakenEffect: false)
        }
        return real
    }

    /// Whether a path without links is below it.
    func contains(_ real: String) throws(TransferError) -> Bool {
        let root = try resolved()
        return real.hasPrefix(root == "/" ? "/" : root + "/")
    }

    /// Where something that exists is, without links; `nil` where there is nothing.
    ///
    /// - Throws: ``TransferError`` with code `accessDenied` if that is outside.
    func existing(_ path: String) throws(TransferError) -> String? {
        guard let real = Self.real(path) else { return nil }
        guard try contains(real) else { throw outside() }
        return real
    }

    /// The same for a folder, which may be this one.
    func existingFolder(_ path: String) throws(TransferError) -> String? {
        guard let real = Self.real(path) else { return nil }
        if real != (try resolved()) { guard try contains(real) else { throw outside() } }
        return real
    }

    /// Where a new file of that path goes, without links in what leads there; the folder that it is in must exist.
    /// One that exists is replaced, where a link leads to it.
    ///
    /// - Throws: ``TransferError`` with code `accessDenied` if that is outside, `notFound` without the folder.
    func new(_ path: String) throws(TransferError) -> String {
        if let existing = try existing(path) { return existing }
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex || path.count > 1 else { throw outside() }
        let name = path[path.index(after: slash)...]
        guard !name.isEmpty, name != ".", name != ".." else { throw outside() }
        let parent = slash == path.startIndex ? "/" : String(path[..<slash])
        guard let real = try existingFolder(parent) else {
            throw TransferError(
                .notFound, "the folder \(parent) does not exist", hint: "create it", mayHaveTakenEffect: false)
        }
        return real == "/" ? "/\(name)" : "\(real)/\(name)"
    }

    private func outside() -> TransferError {
        TransferError(
            .accessDenied, "the path leads out of \(path)", hint: "use one below that folder", isRetryable: false,
            mayHaveTakenEffect: false)
    }

    private static func real(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
