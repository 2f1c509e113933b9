import Crypto
import FoundationEssentials
import Glibc
import MediaKit

/// What `kiln dev` takes from the environment, and what it does not let in.
enum DevEnvironment {
    /// Forgets libpq's variables: they fill in what a connection string leaves out, so that `PGHOSTADDR` or `PGSERVICE`
    /// would lead to a server that somebody uses. All that begin with PG: libpq's differ from version to version.
    /// https://www.postgresql.org/docs/current/libpq-envars.html
    ///
    /// To be called before anything connects, or reads the environment on another thread.
    static func forgetPostgres() {
        for name in ProcessInfo.processInfo.environment.keys where name.hasPrefix("PG") { unsetenv(name) }
    }

    /// What messages to the app are signed with.
    struct Signing: Sendable {
        var keys: [[UInt8]]
        /// As the app takes it, if it was made up here; `nil` if it is the app's own.
        var made: String?
    }

    /// `KILN_WEBHOOK_SECRET`, or a key that nobody else knows.
    ///
    /// - Throws: ``MediaError`` with code `configuration` if the variable holds no keys; it is not repeated.
    static func signing(
        _ environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(MediaError) -> Signing {
        let name = "KILN_WEBHOOK_SECRET"
        guard let text = environment[name], !text.isEmpty else {
            let key = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
            return Signing(keys: [key], made: "whsec_" + Data(key).base64EncodedString())
        }
        let form = SettingForm<[[UInt8]]>.signingSecrets
        guard let keys = form.read(.text(text)), !keys.isEmpty else {
            throw MediaError(
                .configuration, "\(name) cannot be read", hint: "give \(form.expected), or leave it out")
        }
        return Signing(keys: keys, made: nil)
    }
}
