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
        .executable(name: "kiln", targets: ["kiln"]),
        .executable(name: "Benchmarks", targets: ["Benchmarks"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
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
        .target(name: "CAVShim", dependencies: ["CFFmpeg"]),
        // libass's messages, which arrive as a va_list.
        .target(name: "CAssShim", dependencies: ["CLibass"]),
        // Pixel arithmetic in C, which the compiler vectorises. No library behind it.
        .target(name: "CPixelKernels"),
        .target(name: "ByteIO", swiftSettings: swiftSettings),
        .target(
            name: "MediaKit",
            dependencies: ["ByteIO", "CAVShim", "CAssShim", "CLibass", "CPixelKernels"],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "Worker",
            dependencies: [
                "MediaKit", "ByteIO",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swiftSettings
        ),
        .executableTarget(name: "kiln", dependencies: ["Worker", "MediaKit"], swiftSettings: swiftSettings),
        // Starts what the benchmarks measure.
        .target(name: "CForkExec"),
        .executableTarget(
            name: "Benchmarks",
            dependencies: [
                "MediaKit", "CForkExec",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Benchmarks",
            swiftSettings: swiftSettings
        ),
        // Media made on the spot, folders that clean up, pictures and sound to look at: shared by the tests.
        .target(
            name: "TestSupport",
            dependencies: ["MediaKit", "ByteIO", "CAVShim"],
            path: "Tests/Support",
            swiftSettings: swiftSettings
        ),
        .testTarget(name: "ByteIOTests", dependencies: ["ByteIO", "TestSupport"], swiftSettings: swiftSettings),
        .testTarget(
            name: "MediaKitTests",
            dependencies: ["MediaKit", "ByteIO", "CAVShim", "CPixelKernels", "TestSupport"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "WorkerTests", dependencies: ["Worker", "MediaKit", "TestSupport"], swiftSettings: swiftSettings),
    ],
    swiftLanguageModes: [.v6]
)
