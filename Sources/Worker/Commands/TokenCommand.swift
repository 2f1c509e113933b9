public import ArgumentParser
import FoundationEssentials
import JobQueue
public import Server

extension TokenScope: ExpressibleByArgument {}

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Make, list, revoke and delete tokens of the HTTP API.",
        subcommands: [Create.self, List.self, Revoke.self, Delete.self], defaultSubcommand: List.self,
        aliases: ["tokens"])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a token, and print it: now or never, as only its hash is kept.",
            discussion: "  kiln token create shop --scope produce --expires-in 90d")
        @Argument(help: "Who or what it is for.")
        var name: String
        @Option(
            help: ArgumentHelp(
                "What its bearer may do; may be given more than once.",
                discussion: "produce: enqueue, upload, cancel, retry. read: look at everything. admin: all."))
        var scope: [TokenScope] = [.produce]
        @Option(help: "Ends after this time, such as 90d (default: never).")
        var expiresIn: Span?
        @OptionGroup var database: DatabaseOptions

        /// What `--json` prints.
        struct Report: Encodable {
            var token: String
            var info: TokenStore.TokenInfo
        }

        func run() async throws {
            try await database.run { queue in
                let expires = expiresIn.map { Date.now.addingTimeInterval($0.seconds) }
                let token = try await TokenStore(queue, schema: database.schema)
                    .create(name: name, scopes: Set(scope), expires: expires)
                try database.print(Report(token: token.text, info: token.info), token.text)
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List tokens, without their secrets.")
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.answer {
                try await TokenStore($0, schema: database.schema).list()
            } text: { tokens in
                QueueText.table(
                    ["ID", "NAME", "SCOPES", "MADE", "USED", "STATE"],
                    tokens.map { token in
                        [
                            token.id, token.name.printable, token.scopes.map(\.rawValue).joined(separator: ","),
                            QueueText.age(token.createdAt), QueueText.age(token.lastUsedAt), TokenCommand.state(token),
                        ]
                    }, otherwise: "no tokens")
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a token. Servers know of it within five seconds.")
        @Argument(help: "The token's id, as kiln token list shows it.")
        var id: String
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.run { queue in
                guard try await TokenStore(queue, schema: database.schema).revoke(id) else {
                    throw QueueError(
                        .notFound, "there is no token \(id.debugDescription) that is good", hint: "see kiln token list")
                }
                try database.print(["revoked": id], "revoked \(id)".printable)
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a token that was revoked or has expired.",
            discussion: """
                As long as one is listed, good or not, the API asks for a token. With the last one removed, an API that \
                only this machine can reach serves its requests without one again.
                """)
        @Argument(help: "The token's id, as kiln token list shows it.")
        var id: String
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.run { queue in
                guard try await TokenStore(queue, schema: database.schema).delete(id) else {
                    throw QueueError(
                        .notFound, "there is no token \(id.debugDescription) that was revoked or has expired",
                        hint: "see kiln token list; one that is good is revoked first")
                }
                try database.print(["deleted": id], "deleted \(id)".printable)
            }
        }
    }

    private static func state(_ token: TokenStore.TokenInfo) -> String {
        if token.revokedAt != nil { return "revoked" }
        guard token.isLive(at: .now) else { return "expired" }
        return token.expiresAt.map { "ends \(QueueText.age($0))" } ?? "good"
    }
}
