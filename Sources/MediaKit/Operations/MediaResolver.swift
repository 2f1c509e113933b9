public import ByteIO
import Glibc

/// Turns the locations in a request into sources and sinks.
///
/// Thread safety: conforming types are `Sendable`; the calls may block and come from the engine's threads.
public protocol MediaResolver: Sendable {
    /// Opens what stands under a location. A job that goes through it several times asks for it several times.
    ///
    /// - Throws: `ByteIOError` or ``MediaError``; any other error becomes the `cause` of one with code `io`.
    func source(for location: String) throws -> any ByteSource
    /// Makes a sink for a location. Nothing becomes visible there before its `finish()`.
    ///
    /// - Parameter overwrite: whether what is there already may be replaced; if not, `exists` is to be thrown, here
    ///   or by the sink.
    /// - Throws: `ByteIOError` or ``MediaError``; any other error becomes the `cause` of one with code `io`.
    func sink(for location: String, overwrite: Bool) throws -> any ByteSink
}

/// Local files by path or `file://` URL, and `-` for standard input and output.
public struct LocalResolver: MediaResolver {
    /// Relative paths start at the process's working folder.
    public init() {}

    /// A `PipeSource` for `-`, a FIFO or a character device; a `FileSource` for the rest.
    ///
    /// - Throws: ``MediaError`` with code `unsupported` for URLs of other schemes, else `ByteIOError`.
    public func source(for location: String) throws -> any ByteSource {
        if location == "-" { return PipeSource.standardInput() }
        let path = try Self.path(location)
        return Self.isPipe(path) ? try PipeSource(path: path) : try FileSource(path: path)
    }

    /// A `PipeSink` for `-`, a FIFO or a character device; a `FileSink` for the rest.
    ///
    /// - Throws: ``MediaError`` with code `unsupported` for URLs of other schemes, else `ByteIOError`.
    public func sink(for location: String, overwrite: Bool) throws -> any ByteSink {
        if location == "-" { return PipeSink.standardOutput() }
        let path = try Self.path(location)
        return Self.isPipe(path) ? try PipeSink(path: path) : try FileSink(path: path, overwrite: overwrite)
    }

    private static func path(_ location: String) throws -> String {
        if location.hasPrefix("file://") {
            let rest = location.dropFirst("file://".count)
            let path = rest.hasPrefix("localhost/") ? rest.dropFirst("localhost".count) : rest
            return path.removingPercentEncoding
        }
        // "scheme://": a path may well hold a colon, but not like this.
        if let colon = location.firstIndex(of: ":"), location[colon...].hasPrefix("://"),
            location[..<colon].allSatisfy({ $0.isLetter || $0.isNumber })
        {
            throw MediaError(
                .unsupported, "the scheme \(location[..<colon]):// is not known here",
                hint: "give a path or file:// URL")
        }
        return location
    }

    private static func isPipe(_ path: String) -> Bool {
        var info = stat()
        guard stat(path, &info) == 0 else { return false }
        let kind = info.st_mode & S_IFMT
        return kind == S_IFIFO || kind == S_IFCHR || kind == S_IFSOCK
    }
}

/// Sources and sinks of the caller's own under names of the caller's choice; other locations go to another resolver.
///
/// ```swift
/// let engine = MediaEngine(resolver: BoundResolver(sources: ["clip": MemorySource(bytes)]))
/// let info = try await engine.run(Probe(input: "clip"))
/// ```
public struct BoundResolver: MediaResolver {
    private let sources: [String: any ByteSource]
    private let sinks: [String: any ByteSink]
    private let fallback: any MediaResolver

    /// - Parameters:
    ///   - sources: what is read, by location. Each serves one job at a time, however often that asks for it;
    ///     a job that stops early cancels it for good.
    ///   - sinks: what is written, by location. Each serves one job, and `overwrite` makes no difference to it.
    ///   - fallback: resolves all other locations. Default: local files, and `-` for standard input and output.
    public init(
        sources: [String: any ByteSource] = [:], sinks: [String: any ByteSink] = [:],
        fallback: any MediaResolver = LocalResolver()
    ) {
        self.sources = sources
        self.sinks = sinks
        self.fallback = fallback
    }

    /// The one given under that location, else what the fallback finds.
    public func source(for location: String) throws -> any ByteSource {
        try sources[location] ?? fallback.source(for: location)
    }

    /// The one given under that location, whatever `overwrite` says, else what the fallback makes.
    public func sink(for location: String, overwrite: Bool) throws -> any ByteSink {
        try sinks[location] ?? fallback.sink(for: location, overwrite: overwrite)
    }
}

extension Substring {
    /// RFC 3986, §2.1. What is not a valid escape stays as it is.
    fileprivate var removingPercentEncoding: String {
        var bytes: [UInt8] = []
        var rest = utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(String(Substring(rest.prefix(2))), radix: 16),
                rest.count >= 2
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
