public import ByteIO
public import MediaKit
public import Transfer

/// What the locations in a request mean: `s3://`, `https://`, `http://` and `store://` are looked for in the program's
/// stores, all else locally.
///
/// ```swift
/// let engine = MediaEngine(resolver: StoreResolver(stores: stores))
/// ```
/// Nothing here waits for the network: what a source or sink needs to be opened begins at once, several of them at the
/// same time, and the first use waits for it.
public struct StoreResolver: MediaResolver {
    private let stores: Stores
    private let local: (any MediaResolver)?
    private let reading: RangeSourceOptions
    private let writing: UploadOptions

    /// - Parameters:
    ///   - local: for paths, `-` and `file://`. `nil` where requests come from others: then only `file://` is left, and
    ///     only below the folders that the stores open to it.
    ///   - source: how objects are read.
    ///   - upload: how objects are written.
    public init(
        stores: Stores, local: (any MediaResolver)? = LocalResolver(),
        source: RangeSourceOptions = RangeSourceOptions(), upload: UploadOptions = UploadOptions()
    ) {
        self.stores = stores
        self.local = local
        reading = source
        writing = upload
    }

    public func source(for location: String) throws -> any ByteSource {
        if let local, !Self.isRemote(location) { return try local.source(for: location) }
        let place = try place(location)
        return DeferredSource(name: place.description) { [stores, reading] in
            try await stores.source(for: place, options: reading)
        }
    }

    public func sink(for location: String, overwrite: Bool) throws -> any ByteSink {
        if let local, !Self.isRemote(location) { return try local.sink(for: location, overwrite: overwrite) }
        let place = try place(location)
        let options = ObjectOptions(contentType: ContentType.of(place), overwrite: overwrite)
        return DeferredSink(name: place.description) { [stores, writing] in
            try await stores.sink(for: place, options: options, upload: writing)
        }
    }

    /// Whether a location is one of a store or of the web, by its form alone.
    static func isRemote(_ location: String) -> Bool {
        let scheme = location.prefix { $0 != ":" }
        return location[scheme.endIndex...].hasPrefix("://")
            && ["s3", "https", "http", "store"].contains(scheme.lowercased())
    }

    private func place(_ location: String) throws -> ObjectLocation {
        do { return try ObjectLocation(location) } catch {
            // The location itself may hold a signature, and be anything.
            throw MediaError(error, input: nil)
        }
    }
}
