import ArgumentParser
import ByteIO
import FoundationEssentials
import Glibc
import MediaKit
import Transfer
import Worker

/// What one of our contestants does, in a process of its own.
enum TransferTask: Codable {
    /// An object and the file that it is copied from or to.
    struct Copy: Codable {
        var key: String
        var path: String
    }

    /// Works on objects, reading and writing them meanwhile.
    case stream(MediaRequest)
    /// Works on files.
    case files(MediaRequest)
    /// Downloads, works on files, uploads.
    ///
    /// - Parameter inRanges: whether the download is made by ranges side by side, as larger tools do, or by one request.
    case wholeFiles(MediaRequest, download: [Copy], upload: [Copy], inRanges: Bool)
    /// Reads an object and drops what it holds.
    case read(String)
    case write(Copy)

    func command(endpoint: String) throws -> ChildProcess {
        let text = String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
        return ChildProcess(
            program: try ChildTask.ownPath(),
            arguments: [TransferTaskCommand.name, "--endpoint", endpoint, text])
    }
}

/// The hidden subcommand that carries out a ``TransferTask`` and prints the warnings of the work, one a line.
struct TransferTaskCommand: AsyncParsableCommand {
    static let name = "run-transfer"
    static let configuration = CommandConfiguration(commandName: name, shouldDisplay: false)
    static let credentials = Credentials(accessKeyID: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG")

    @Option var endpoint: String
    @Argument var task: String

    func run() async throws {
        // As the command `kiln` does.
        ProcessMemory.shareHeaps()
        let client = try HTTPClient()
        let settings = S3Settings(endpoint: try HTTPURL(endpoint), region: "us-east-1", addressing: .path)
        let credentials = StaticCredentials(Self.credentials)
        let store = S3Store(
            bucket: ObjectServerProcess.bucket, settings: settings, credentials: credentials, client: client)
        switch try JSONDecoder().decode(TransferTask.self, from: Data(task.utf8)) {
        case .stream(let request):
            let stores = Stores(client: client, s3: settings, credentials: credentials)
            try await carryOut(request, MediaEngine(resolver: StoreResolver(stores: stores)))
        case .files(let request): try await carryOut(request, MediaEngine())
        case .wholeFiles(let request, let download, let upload, let inRanges):
            for copy in download {
                if inRanges {
                    try await self.read(copy.key, of: store, to: try NewFile(copy.path))
                } else {
                    try await self.download(copy, from: store)
                }
            }
            try await carryOut(request, MediaEngine())
            for copy in upload { try await write(copy, to: store) }
        case .read(let key): try await read(key, of: store, to: nil)
        case .write(let copy): try await write(copy, to: store)
        }
    }

    private func carryOut(_ request: MediaRequest, _ engine: MediaEngine) async throws {
        let result = try await engine.execute(request)
        let warnings =
            switch result {
            case .render(let result): result.warnings
            case .audio(let result): result.warnings
            default: [] as [MediaWarning]
            }
        for warning in warnings { print("\(warning)") }
    }

    private func download(_ copy: TransferTask.Copy, from store: S3Store) async throws {
        let file = try NewFile(copy.path)
        try await store.read(copy.key, range: nil, ifMatch: nil) { content in
            for try await chunk in content.bytes { try file.write(chunk) }
        }
    }

    private func read(_ key: String, of store: S3Store, to file: NewFile?) async throws {
        let source = try await store.source(key)
        try await offPool {
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
            defer { buffer.deallocate() }
            var position: Int64 = 0
            while true {
                let count = try source.read(into: buffer, at: position)
                guard count > 0 else { return }
                try file?.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                position += Int64(count)
            }
        }
    }

    private func write(_ copy: TransferTask.Copy, to store: S3Store) async throws {
        let sink = try await store.sink(copy.key)
        try await offPool {
            let source = try FileSource(path: copy.path)
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
            defer { buffer.deallocate() }
            var position: Int64 = 0
            while true {
                let count = try source.read(into: buffer, at: position)
                guard count > 0 else { return try sink.finish() }
                try sink.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                position += Int64(count)
            }
        }
    }
}
