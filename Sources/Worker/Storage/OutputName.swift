import Crypto
import Transfer

/// What the queue knows an output by, so that it belongs to one job: a place, and a name in it.
struct OutputName: Sendable, Hashable {
    /// ``ObjectStore/name``, "file://", or the origin of a URL.
    var place: String
    /// A key, a path, or a URL's path.
    var name: String

    /// - Parameter object: what the location is in a store; `nil` for files and URLs of the web.
    init(_ location: ObjectLocation, _ object: (store: any ObjectStore, key: String)?) {
        switch location {
        case .bucket(_, let key), .store(let key):
            place = object?.store.name ?? ""
            name = object?.key ?? key
        case .file(let path):
            place = "file://"
            name = path
        case .web(let url):
            place = url.origin
            // A query may tell one output from another, and may hold a signature, which nobody has to know.
            let digest = url.query.map { SHA256.hash(data: Array($0.utf8)).prefix(16) }
            name = url.path + (digest.map { "?" + Base64Text.encoded($0) } ?? "")
        }
        // Keys end there; a longer path or URL would not fit into the database's index.
        guard name.utf8.count > 1024 else { return }
        name = String(name.prefix(200)) + "…" + Base64Text.encoded(SHA256.hash(data: Array(name.utf8)))
    }
}
