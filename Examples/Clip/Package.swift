// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "Clip",
    dependencies: [
        .package(url: "https://github.com/kiln-media/kiln", from: "0.1.0")
    ],
    targets: [
        .executableTarget(name: "Clip", dependencies: [.product(name: "MediaKit", package: "kiln")])
    ],
    swiftLanguageModes: [.v6]
)
