// swift-tools-version: 6.1
import PackageDescription

let swiftSettings: [SwiftSetting] = [
    // Every file names what it uses; an import in one does not leak into the next.
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
]

let package = Package(
    name: "kiln",
    products: [
        .library(name: "MediaKit", targets: ["MediaKit"]),
        .library(name: "ByteIO", targets: ["ByteIO"]),
        .library(name: "JobQueue", targets: ["JobQueue"]),
        .library(name: "Transfer", targets: ["Transfer"]),
        .library(name: "Providers", targets: ["Providers"]),
        .library(name: "Telemetry", targets: ["Telemetry"]),
        .executable(name: "kiln", targets: ["kiln"]),
        .executable(name: "Benchmarks", targets: ["Benchmarks"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        // From the version whose records carry an error.
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.5.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.1.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
        // Percentiles of the benchmarks' times.
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/apple/swift-crypto", "3.0.0"..<"5.0.0"),
        // Settings from the environment and a file; Yams tells in which line of the file what stands.
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: ["YAML"]),
        .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
        // The HTTP API. Its settings come from our own configuration.
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: ["FullFoundation"]),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.1"),
        // What S3 says is XML.
        .package(url: "https://github.com/CoreOffice/XMLCoder", from: "0.17.0"),
    ],
    targets: [
        // libav*, found by pkg-config. CAVShim is the only target that includes its headers.
        .systemLibrary(
            name: "CFFmpeg",
            pkgConfig: "libavformat libavcodec libavfilter libswresample libswscale libavutil",
            providers: [
                .apt([
                    "libavformat-dev", "libavcodec-dev", "libavfilter-dev", "libswresample-dev", "libswscale-dev",
                    "libavutil-dev",
                ])
            ]
        ),
        .systemLibrary(name: "CLibass", pkgConfig: "libass", providers: [.apt(["libass-dev"])]),
        // Names the fonts of this machine. libass uses it too.
        .systemLibrary(name: "CFontconfig", pkgConfig: "fontconfig", providers: [.apt(["libfontconfig-dev"])]),
        .target(name: "CAVShim", dependencies: ["CFFmpeg"]),
        // libass's messages, which arrive as a va_list.
        .target(name: "CAssShim", dependencies: ["CLibass"]),
        // Pixel arithmetic in C, which the compiler vectorises. No library behind it.
        .target(name: "CPixelKernels"),
        .target(name: "ByteIO", swiftSettings: swiftSettings),
        // The one lock, and the one calendar, of JobQueue and Transfer, which know nothing of each other.
        .target(name: "Locking", swiftSettings: swiftSettings),
        .target(name: "CivilCalendar", swiftSettings: swiftSettings),
        .target(
            name: "MediaKit",
            dependencies: ["ByteIO", "CAVShim", "CAssShim", "CFontconfig", "CLibass", "CPixelKernels"],
            swiftSettings: swiftSettings
        ),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        // The durable queue on Postgres. Knows nothing of media.
        .target(
            name: "JobQueue",
            dependencies: [
                "CPostgres", "CivilCalendar", "Locking",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            resources: [.embedInCode("Schema/Migrations")],
            swiftSettings: swiftSettings
        ),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        // HTTP and object stores as sources and sinks of bytes. Knows nothing of media or jobs.
        .target(
            name: "Transfer",
            dependencies: [
                "ByteIO", "CCurl", "CivilCalendar", "Locking",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "XMLCoder", package: "XMLCoder"),
            ],
            swiftSettings: swiftSettings
        ),
        // Speech recognition in the process.
        .systemLibrary(
            name: "CPocketSphinx", pkgConfig: "pocketsphinx", providers: [.apt(["libpocketsphinx-dev"])]),
        // whisper.cpp, loaded at run time where somebody names its model.
        .target(name: "CWhisper", linkerSettings: [.linkedLibrary("dl")]),
        // What others can do better, or know: a protocol for each capability, an implementation for each service.
        .target(
            name: "Providers",
            dependencies: [
                "ByteIO", "CPocketSphinx", "CWhisper", "Locking", "MediaKit", "Transfer",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swiftSettings
        ),
        // Logs, metrics and traces, on the way out. Knows nothing of media or jobs.
        .target(
            name: "Telemetry",
            dependencies: [
                "CivilCalendar", "Locking", "Transfer",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: swiftSettings
        ),
        // The HTTP API over the queue, and the health listener. Knows nothing of media.
        .target(
            name: "Server",
            dependencies: [
                "JobQueue", "Transfer", "Locking",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            resources: [
                .embedInCode("Schema/s0001_tokens.sql"), .embedInCode("Schema/roles.sql"),
                .embedInCode("Schema/c0001_calls.sql"), .embedInCode("Schema/c0002_endings.sql"),
                .embedInCode("Schema/calls_roles.sql"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "Worker",
            dependencies: [
                "MediaKit", "ByteIO", "JobQueue", "Locking", "Providers", "Server", "Telemetry", "Transfer",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: swiftSettings
        ),
        .executableTarget(name: "kiln", dependencies: ["Worker", "MediaKit"], swiftSettings: swiftSettings),
        // Starts what the benchmarks measure.
        .target(name: "CForkExec"),
        .executableTarget(
            name: "Benchmarks",
            dependencies: [
                "MediaKit", "ByteIO", "JobQueue", "Locking", "Transfer", "Worker", "PostgresTestSupport", "CForkExec",
                "Providers",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Benchmarks",
            exclude: ["Worker/usual_worker.py"],
            swiftSettings: swiftSettings
        ),
        // Waiting for the end of a process that a test started.
        .target(name: "ProcessTestSupport", path: "Tests/ProcessSupport", swiftSettings: swiftSettings),
        // Media made on the spot, folders that clean up, pictures and sound to look at: shared by the tests.
        .target(
            name: "TestSupport",
            dependencies: ["MediaKit", "ByteIO", "CAVShim", "ProcessTestSupport"],
            path: "Tests/Support",
            swiftSettings: swiftSettings
        ),
        .testTarget(name: "ByteIOTests", dependencies: ["ByteIO", "TestSupport"], swiftSettings: swiftSettings),
        .testTarget(
            name: "MediaKitTests",
            dependencies: ["MediaKit", "ByteIO", "CAVShim", "CPixelKernels", "TestSupport"],
            swiftSettings: swiftSettings
        ),
        // A private Postgres cluster, started once for a run of the tests or benchmarks, and databases in it.
        .target(
            name: "PostgresTestSupport", dependencies: ["JobQueue", "Locking"], path: "Tests/PostgresSupport",
            swiftSettings: swiftSettings),
        .testTarget(
            name: "JobQueueTests",
            dependencies: [
                "JobQueue", "CivilCalendar", "Locking", "PostgresTestSupport", "ProcessTestSupport",
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: swiftSettings),
        // Servers on the loopback that look closely and misbehave as told.
        .target(
            name: "TransferTestSupport",
            dependencies: [
                "Transfer", "ByteIO", "Locking", "ProcessTestSupport",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            path: "Tests/TransferSupport",
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "TransferTests",
            dependencies: [
                "Transfer", "ByteIO", "Locking", "TransferTestSupport",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ],
            exclude: ["S3/botocore-signatures.py"],
            swiftSettings: swiftSettings),
        // The services' side of their protocols: strict about what they take, and misbehaving as told.
        .target(
            name: "ProviderTestSupport",
            dependencies: [
                "ByteIO", "Locking", "MediaKit", "Providers", "Transfer", "TransferTestSupport",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            path: "Tests/ProviderSupport",
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "ProviderTests",
            dependencies: [
                "Providers", "ByteIO", "Locking", "MediaKit", "ProviderTestSupport", "TestSupport", "Transfer",
                "TransferTestSupport",
                .product(name: "Logging", package: "swift-log"),
            ],
            exclude: ["Whisper/whisper-stub.c"],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "TelemetryTests",
            dependencies: [
                "Telemetry", "Locking", "Transfer", "TransferTestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "Server", "JobQueue", "Transfer", "Locking", "PostgresTestSupport", "ProcessTestSupport",
                "ProviderTestSupport", "TransferTestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            exclude: ["check-openapi.py"],
            swiftSettings: swiftSettings),
        // Media through stores: the engine and the stores together.
        .testTarget(
            name: "StreamingTests",
            dependencies: [
                "Worker", "MediaKit", "ByteIO", "Locking", "Transfer", "TransferTestSupport", "TestSupport",
                "ProcessTestSupport",
            ],
            exclude: ["Support/check-movie.py"],
            swiftSettings: swiftSettings),
        // The queue under faults, with workers in processes of their own: scripts/chaos, and a short form as tests.
        .target(
            name: "ChaosKit",
            dependencies: [
                "JobQueue", "Locking", "PostgresTestSupport", .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/Chaos/Kit",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "Chaos", dependencies: ["ChaosKit"], path: "Tests/Chaos/Command", swiftSettings: swiftSettings),
        .testTarget(
            name: "ChaosTests",
            dependencies: ["ChaosKit", "Chaos", "PostgresTestSupport"],
            path: "Tests/Chaos/Tests",
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "WorkerTests",
            dependencies: [
                "Worker", "MediaKit", "JobQueue", "Providers", "TestSupport", "PostgresTestSupport", "Transfer",
                "TransferTestSupport", .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swiftSettings),
        // What tests of the service have in common: the app's side of the queue, and `kiln` as a process.
        .target(
            name: "ServiceTestSupport",
            dependencies: [
                "JobQueue", "Locking", "MediaKit", "PostgresTestSupport", "ProcessTestSupport", "ProviderTestSupport",
                "TestSupport", "Transfer", "TransferTestSupport", .product(name: "Crypto", package: "swift-crypto"),
            ],
            path: "Tests/ServiceSupport",
            swiftSettings: swiftSettings
        ),
        // Jobs from the queue to the store, by the service and by the command.
        .testTarget(
            name: "WorkerServiceTests",
            dependencies: [
                "Worker", "MediaKit", "ByteIO", "JobQueue", "Locking", "TestSupport", "PostgresTestSupport",
                "ProcessTestSupport", "Providers", "ProviderTestSupport", "Server", "ServiceTestSupport", "Telemetry",
                "Transfer", "TransferTestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            exclude: ["check-schemas.py"],
            swiftSettings: swiftSettings),
        // The same with workers in processes of their own, of which some die.
        .testTarget(
            name: "ServiceProofTests",
            dependencies: [
                "Worker", "kiln", "MediaKit", "JobQueue", "Locking", "TestSupport", "PostgresTestSupport",
                "ProcessTestSupport", "ProviderTestSupport", "Providers", "Server", "ServiceTestSupport", "Transfer",
                "TransferTestSupport",
                .product(name: "Logging", package: "swift-log"),
            ],
            exclude: ["enqueue.py"],
            swiftSettings: swiftSettings),
    ],
    swiftLanguageModes: [.v6]
)
