import Foundation
import JobQueue
import Logging

extension PostgresCluster {
    /// A database of one test with the schema `kiln` and its roles in it.
    package func makeQueueDatabase() async throws -> TestDatabase {
        try await makeDatabase(template: "queue") { url in
            try await Migrations(url, logger: Logger(label: "kiln.cluster")).migrate(roles: .create())
        }
    }
}

extension TestDatabase {
    /// A new login that is a member of `role`, by TCP with a password: who may do what that role may.
    ///
    /// - Returns: its name and connection string.
    package func makeLogin(in role: String?, password: String = "s3cret-\(UUID().uuidString)") async throws
        -> (name: String, url: String, password: String)
    {
        let name = "login_" + UUID().uuidString.lowercased().replacing("-", with: "")
        let membership = role.map { " IN ROLE \($0.quotedIdentifier)" } ?? ""
        _ = try await psql(
            "CREATE ROLE \(name.quotedIdentifier) LOGIN PASSWORD \(password.quotedLiteral)\(membership)")
        let url = "postgresql://\(name):\(password)@127.0.0.1:\(cluster.port)/\(self.name)?sslmode=disable"
        return (name, url, password)
    }
}
