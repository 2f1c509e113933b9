import ByteIO
import MediaKit
import Synchronization
import Transfer

/// What locations on a command line mean. Who types them may reach what this machine can, so nothing is guarded; but
/// where a server redirects to another one, that one must be public.
///
/// Whoever uses files alone pays for no HTTP client and needs no setting.
final class ConsoleResolver: MediaResolver {
    private let local = LocalResolver()
    private let remote = Mutex<StoreResolver?>(nil)

    func source(for location: String) throws -> any ByteSource {
        try resolver(for: location).source(for: location)
    }

    func sink(for location: String, overwrite: Bool) throws -> any ByteSink {
        try resolver(for: location).sink(for: location, overwrite: overwrite)
    }

    private func resolver(for location: String) throws -> any MediaResolver {
        guard StoreResolver.isRemote(location) else { return local }
        return try remote.withLock { held throws in
            if let held { return held }
            do {
                let made = StoreResolver(stores: try StorageSettings().stores(web: .trusted), local: local)
                held = made
                return made
            } catch {
                throw MediaError(store: error, input: ObjectLocation.shown(location))
            }
        }
    }
}

extension ObjectLocation {
    /// A location as it may be shown, whether it can be read or not.
    fileprivate static func shown(_ location: String) -> String {
        (try? ObjectLocation(location))?.description ?? String(location.prefix { $0 != ":" }) + "://"
    }
}
