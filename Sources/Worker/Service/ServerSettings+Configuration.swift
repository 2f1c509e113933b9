import JobQueue
import MediaKit
import Server
import Transfer

extension ServerSettings {
    /// - Throws: `TransferError` if the stores are not to be had; ``MediaError`` if a kind cannot be described.
    init(_ configuration: WorkerConfiguration) throws {
        let (http, uploads, hooks) = (configuration.http, configuration.uploads, configuration.hooks)
        var limits = ServerLimits(rate: http.requestsPerMinute.map { ServerLimits.Rate(perMinute: $0) })
        limits.bodyBytes = Int(http.maximumBodyBytes)
        self.init(
            address: http.address, port: http.port, publicURL: http.publicURL,
            crossOrigin: CrossOrigin(origins: http.corsOrigins), limits: limits, proxies: http.proxies,
            kinds: try JobKinds.work.map { kind in
                let description = try kind.description
                return Server.KindDescription(
                    description.kind, summary: description.summary, schema: description.schema.json,
                    makesFiles: kind.makesFiles)
            },
            hooks: Hooks(secrets: hooks.secrets, kinds: hooks.kinds),
            twilio: Twilio(authToken: configuration.providers.twilio.authToken),
            reservedKinds: Set(JobKinds.messages.map { $0.name }),
            stores: try configuration.storage.stores(
                fileRoots: configuration.outputs.fileRoots, web: .guarded, guarding: configuration.network.guarding),
            uploads: Uploads(
                largest: uploads.maximumBytes, types: uploads.contentTypes, prefix: uploads.prefix,
                lifetime: uploads.linkExpiry),
            downloadLifetime: configuration.outputs.linkExpiry, schema: configuration.database.schema,
            version: MediaKitVersion.current)
    }
}
