// swift-tools-version: 6.2
import PackageDescription

// Lifetimes: a record is a view (`RawSpan`) of the buffer that it came in, and a function that returns
// such a view has to say whose life it shares. The language has no stable spelling for that yet.
let settings: [SwiftSetting] = [
    .strictMemorySafety(),
    .enableExperimentalFeature("Lifetimes"),
]

let package = Package(
    name: "tfi-consumer",
    platforms: [.macOS(.v26)],
    products: [
        .library(name: "KafkaWire", targets: ["KafkaWire"]),
        .library(name: "KafkaFake", targets: ["KafkaFake"]),
        .library(name: "PGWire", targets: ["PGWire"]),
        .executable(name: "tfi-consumer", targets: ["TFIConsumer"]),
        .executable(name: "tfi-producer", targets: ["TFIProducer"]),
    ],
    targets: [
        // C libraries, one module map each. The codecs snappy, lz4 and zstd, and OpenSSL, take their place here.
        .systemLibrary(
            name: "CISAL", pkgConfig: "libisal",
            providers: [.apt(["libisal-dev"]), .brew(["isa-l"])]),
        .systemLibrary(
            name: "CPQ", pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"]), .brew(["libpq"])]),
        .systemLibrary(
            name: "CZlib", pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),

        .target(name: "KafkaWire", dependencies: ["CISAL", "CZlib"], swiftSettings: settings),
        .target(name: "KafkaFake", dependencies: ["KafkaWire"], swiftSettings: settings),
        .target(name: "PGWire", dependencies: ["CPQ"], swiftSettings: settings),
        .target(name: "CommandLineSupport", swiftSettings: settings),
        .executableTarget(
            name: "TFIConsumer", dependencies: ["CommandLineSupport", "KafkaWire", "PGWire"],
            swiftSettings: settings),
        .executableTarget(
            name: "TFIProducer", dependencies: ["CommandLineSupport", "KafkaFake", "KafkaWire"],
            swiftSettings: settings),

        // Starts and stops real brokers and databases for the conformance tests.
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: settings),
        .testTarget(name: "KafkaWireTests", dependencies: ["KafkaWire", "KafkaFake"], swiftSettings: settings),
        .testTarget(
            name: "KafkaWireConformanceTests", dependencies: ["KafkaWire", "TestSupport"], swiftSettings: settings),
        .testTarget(name: "PGWireTests", dependencies: ["PGWire"], swiftSettings: settings),
        .testTarget(
            name: "PGWireConformanceTests", dependencies: ["PGWire", "TestSupport"], swiftSettings: settings),
        .testTarget(name: "CommandLineSupportTests", dependencies: ["CommandLineSupport"], swiftSettings: settings),
        .testTarget(
            name: "TFIConsumerTests", dependencies: ["TFIConsumer", "CommandLineSupport", "KafkaWire", "PGWire"],
            swiftSettings: settings),
        .testTarget(name: "TFIProducerTests", dependencies: ["TFIProducer"], swiftSettings: settings),
        .testTarget(
            name: "PipelineTests", dependencies: ["KafkaWire", "KafkaFake", "PGWire", "TestSupport"],
            swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
