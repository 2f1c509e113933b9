import FoundationEssentials
import Glibc
import MediaKit

/// A folder with the programs of a Postgres server.
struct PostgresInstallation: Sendable, Equatable {
    /// Absolute, without links.
    let folder: String

    func path(_ program: String) -> String { folder + "/" + program }

    /// `KILN_POSTGRES_BIN`, or the first of what PATH, `pg_config` and the usual places have.
    ///
    /// - Parameter version: a major version that data is of, which is preferred; `nil` for none.
    /// - Throws: ``MediaError`` with code `not_found` that says what to install.
    static func find(
        version: String? = nil, environment: [String: String] = ProcessInfo.processInfo.environment
    ) async throws -> PostgresInstallation {
        if let named = environment["KILN_POSTGRES_BIN"], !named.isEmpty {
            guard let installation = PostgresInstallation(named) else {
                throw MediaError(
                    .notFound, "KILN_POSTGRES_BIN leads to \(named), which has no initdb and postgres",
                    hint: "name the folder that has them")
            }
            return installation
        }
        let path = environment["PATH"] ?? ""
        var found = path.split(separator: ":").compactMap { PostgresInstallation(String($0)) }
        if let config = try await configured(path), let installation = PostgresInstallation(config) {
            found.append(installation)
        }
        found += usualPlaces()
        if let version,
            let same = found.first(where: {
                $0.folder.split(separator: "/").contains { $0 == version || $0 == "pgsql-\(version)" }
            })
        {
            return same
        }
        guard let first = found.first else {
            throw MediaError(
                .notFound, "there is no Postgres server here to start a private one from",
                hint:
                    "install it (Debian and Ubuntu: apt-get install postgresql), or set KILN_POSTGRES_BIN to the folder that has initdb"
            )
        }
        return first
    }

    /// - Returns: `nil` if the programs are not there.
    init?(_ folder: String) {
        // Links in /usr/local/bin may lead to initdb alone.
        guard let real = realpath(folder + "/initdb", nil) else { return nil }
        defer { free(real) }
        let program = String(cString: real)
        guard let slash = program.lastIndex(of: "/") else { return nil }
        self.folder = String(program[..<slash])
        guard access(path("initdb"), X_OK) == 0, access(path("postgres"), X_OK) == 0 else { return nil }
    }

    /// Debian's, Red Hat's and the source's, the newest first.
    private static func usualPlaces() -> [PostgresInstallation] {
        let debian = versions(in: "/usr/lib/postgresql", prefix: "").map { "/usr/lib/postgresql/\($0)/bin" }
        let redHat = versions(in: "/usr", prefix: "pgsql-").map { "/usr/pgsql-\($0)/bin" }
        return (debian + redHat + ["/usr/local/pgsql/bin"]).compactMap { PostgresInstallation($0) }
    }

    private static func versions(in folder: String, prefix: String) -> [Int] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.compactMap { $0.hasPrefix(prefix) ? Int($0.dropFirst(prefix.count)) : nil }.sorted(by: >)
    }

    /// What `pg_config --bindir` says, where there is such a program.
    private static func configured(_ path: String) async throws -> String? {
        guard path.split(separator: ":").contains(where: { access("\($0)/pg_config", X_OK) == 0 }) else { return nil }
        let file = FileManager.default.temporaryDirectory.path + "/kiln-\(UUID().uuidString)"
        defer { unlink(file) }
        guard try await ChildProcess(["pg_config", "--bindir"], log: file).waitUnlessCancelled() == 0 else {
            return nil
        }
        let text = try? String(contentsOfFile: file, encoding: .utf8)
        return text?.split(separator: "\n").first.map(String.init)
    }
}
