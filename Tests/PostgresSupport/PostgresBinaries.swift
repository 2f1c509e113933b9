package import Foundation

/// A folder with a version of Postgres in it.
package struct PostgresBinaries: Sendable {
    package let folder: URL

    package init(folder: URL) { self.folder = folder }

    package func path(_ name: String) -> String { folder.appending(path: name).path }

    /// `KILN_POSTGRES_BIN`, or the newest below /usr/lib/postgresql, or the one in PATH.
    package static func find() throws -> PostgresBinaries {
        let environment = ProcessInfo.processInfo.environment
        if let folder = environment["KILN_POSTGRES_BIN"] {
            return try checked(URL(filePath: folder), "KILN_POSTGRES_BIN")
        }
        let root = URL(filePath: "/usr/lib/postgresql")
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
        let newest = versions.compactMap { name in Int(name).map { ($0, name) } }.max { $0.0 < $1.0 }
        if let newest { return try checked(root.appending(path: "\(newest.1)/bin"), root.path) }
        for folder in (environment["PATH"] ?? "").split(separator: ":") {
            let binaries = PostgresBinaries(folder: URL(filePath: String(folder)))
            if binaries.hasServer { return binaries }
        }
        throw PostgresClusterError(
            "no Postgres server found: install postgresql, or set KILN_POSTGRES_BIN to the folder that has initdb")
    }

    private static func checked(_ folder: URL, _ origin: String) throws -> PostgresBinaries {
        let binaries = PostgresBinaries(folder: folder)
        guard binaries.hasServer else {
            throw PostgresClusterError("\(origin) leads to \(folder.path), which has no initdb")
        }
        return binaries
    }

    private var hasServer: Bool { FileManager.default.isExecutableFile(atPath: path("initdb")) }
}

/// What went wrong with a cluster of the tests.
package struct PostgresClusterError: Error, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}
