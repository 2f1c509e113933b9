import Hummingbird
import Logging
import NIOCore

/// Where a request came from: all that Hummingbird tells beside the request itself.
struct RequestSource: InitializableFromSource {
    /// The peer's address; a proxy's where there is one.
    let address: String
    let logger: Logger

    init(source: ApplicationRequestContextSource) {
        address = source.channel.remoteAddress?.ipAddress ?? "unknown"
        logger = source.logger
    }
}
