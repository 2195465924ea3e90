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
        .executable(name: "kafkawire", targets: ["KafkaWireTool"]),
        .executable(name: "tfi-consumer", targets: ["TFIConsumer"]),
        .executable(name: "tfi-producer", targets: ["TFIProducer"]),
    ],
    // Each adds a C library and the code that uses it. The libraries that KafkaWire always needs (gzip, checksums) have none.
    traits: [
        .trait(name: "Snappy", description: "Records that are compressed with snappy, by libsnappy."),
        .trait(name: "LZ4", description: "Records that are compressed with lz4, by liblz4."),
        .trait(name: "Zstd", description: "Records that are compressed with zstd, by libzstd."),
        .trait(name: "TLS", description: "Connections in TLS, and logins by SCRAM, by OpenSSL."),
        .default(enabledTraits: ["Snappy", "LZ4", "Zstd", "TLS"]),
    ],
    targets: [
        // C libraries, one module map each.
        .systemLibrary(name: "CEpoll"),
        .systemLibrary(
            name: "CISAL", pkgConfig: "libisal",
            providers: [.apt(["libisal-dev"]), .brew(["isa-l"])]),
        .systemLibrary(
            name: "CLZ4", pkgConfig: "liblz4",
            providers: [.apt(["liblz4-dev"]), .brew(["lz4"])]),
        .systemLibrary(
            name: "CMicroHTTPD", pkgConfig: "libmicrohttpd",
            providers: [.apt(["libmicrohttpd-dev"]), .brew(["libmicrohttpd"])]),
        .systemLibrary(
            name: "COpenSSL", pkgConfig: "openssl",
            providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
        .systemLibrary(
            name: "CPQ", pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"]), .brew(["libpq"])]),
        .systemLibrary(
            name: "CSnappy", pkgConfig: "snappy",
            providers: [.apt(["libsnappy-dev"]), .brew(["snappy"])]),
        .systemLibrary(
            name: "CYAML", pkgConfig: "yaml-0.1",
            providers: [.apt(["libyaml-dev"]), .brew(["libyaml"])]),
        .systemLibrary(
            name: "CZlib", pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .systemLibrary(
            name: "CZstd", pkgConfig: "libzstd",
            providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),

        // Locks that the thread sanitizer follows.
        .target(name: "Concurrency", swiftSettings: settings),
        .target(
            name: "KafkaWire",
            dependencies: [
                "CISAL", "CZlib", "Concurrency",
                .target(name: "CEpoll", condition: .when(platforms: [.linux])),
                .target(name: "CLZ4", condition: .when(traits: ["LZ4"])),
                .target(name: "COpenSSL", condition: .when(traits: ["TLS"])),
                .target(name: "CSnappy", condition: .when(traits: ["Snappy"])),
                .target(name: "CZstd", condition: .when(traits: ["Zstd"])),
            ],
            swiftSettings: settings),
        .target(name: "KafkaFake", dependencies: ["Concurrency", "KafkaWire"], swiftSettings: settings),
        .target(name: "PGWire", dependencies: ["CPQ", "Concurrency"], swiftSettings: settings),
        .target(name: "CommandLineSupport", dependencies: ["Concurrency"], swiftSettings: settings),
        // The pages that a program shows of itself.
        .target(name: "HTTPServer", dependencies: ["CMicroHTTPD", "Concurrency"], swiftSettings: settings),
        // From any topic into any table. Nothing about the plant.
        .target(
            name: "IngestEngine", dependencies: ["CYAML", "CommandLineSupport", "Concurrency", "KafkaWire", "PGWire"],
            packageAccess: false, swiftSettings: settings),
        // From here on, programs use KafkaWire's public interface alone, as any other package does.
        .executableTarget(
            name: "KafkaWireTool", dependencies: ["CommandLineSupport", "Concurrency", "KafkaWire"],
            packageAccess: false, swiftSettings: settings),
        .executableTarget(
            name: "TFIConsumer",
            dependencies: ["CommandLineSupport", "Concurrency", "HTTPServer", "IngestEngine", "KafkaWire", "PGWire"],
            // In the program itself, which is one file to install.
            resources: [
                .embedInCode("Page/page.html"), .embedInCode("Page/page.css"), .embedInCode("Page/page.js"),
            ],
            packageAccess: false, swiftSettings: settings),
        .executableTarget(
            name: "TFIProducer", dependencies: ["CommandLineSupport", "Concurrency", "KafkaFake", "KafkaWire"],
            packageAccess: false, swiftSettings: settings),

        // No product: what `control-env.sh bench --client` measures.
        .executableTarget(
            name: "ClientBenchmark", dependencies: ["CommandLineSupport", "KafkaWire"], packageAccess: false,
            swiftSettings: settings),

        // The programs that the documentation speaks of.
        .executableTarget(
            name: "example-first-steps", dependencies: ["KafkaWire"], path: "Examples/FirstSteps",
            packageAccess: false, swiftSettings: settings),
        .executableTarget(
            name: "example-group-worker", dependencies: ["KafkaWire"], path: "Examples/GroupWorker",
            packageAccess: false, swiftSettings: settings),
        .executableTarget(
            name: "example-exactly-once", dependencies: ["KafkaWire"], path: "Examples/ExactlyOnce",
            packageAccess: false, swiftSettings: settings),
        .executableTarget(
            name: "example-administration", dependencies: ["KafkaWire"], path: "Examples/Administration",
            packageAccess: false, swiftSettings: settings),
        .executableTarget(
            name: "example-signals-and-shutdown", dependencies: ["KafkaWire"], path: "Examples/SignalsAndShutdown",
            packageAccess: false, swiftSettings: settings),
        .executableTarget(
            name: "example-health-probes", dependencies: ["KafkaWire"], path: "Examples/HealthProbes",
            packageAccess: false, swiftSettings: settings),
        .target(
            name: "ExampleOrders", dependencies: ["KafkaWire"], path: "Examples/UnitTests/Orders",
            packageAccess: false, swiftSettings: settings),
        .testTarget(
            name: "ExampleOrdersTests", dependencies: ["ExampleOrders", "KafkaFake", "KafkaWire"],
            path: "Examples/UnitTests/Tests", packageAccess: false, swiftSettings: settings),

        .systemLibrary(name: "CSpawn", path: "Tests/CSpawn"),
        // Starts and stops real brokers and databases for the conformance tests.
        .target(
            name: "TestSupport", dependencies: ["CSpawn", "Concurrency"], path: "Tests/TestSupport",
            swiftSettings: settings),
        // The program that `control-env.sh chaos` runs.
        .executableTarget(
            name: "Chaos", dependencies: ["CommandLineSupport", "Concurrency", "KafkaWire", "PGWire", "TestSupport"],
            path: "Tests/Chaos", swiftSettings: settings),
        .testTarget(name: "ChaosTests", dependencies: ["Chaos", "KafkaWire"], swiftSettings: settings),
        // The code that scripts/fuzz.sh feeds with arbitrary bytes, and the unit tests with damaged ones.
        .target(
            name: "KafkaWireFuzz", dependencies: ["Concurrency", "KafkaWire", "KafkaFake"], path: "Tests/KafkaWireFuzz",
            swiftSettings: settings),
        // The same for mapping files, paths and messages.
        .target(
            name: "IngestEngineFuzz", dependencies: ["IngestEngine", "PGWire"], path: "Tests/IngestEngineFuzz",
            swiftSettings: settings),
        .testTarget(
            name: "KafkaWireTests",
            dependencies: ["Concurrency", "KafkaWire", "KafkaFake", "KafkaWireFuzz", "TestSupport"],
            swiftSettings: settings),
        // Written as another package would be: it sees only the public interface.
        .testTarget(
            name: "KafkaWireInterfaceTests", dependencies: ["KafkaFake", "KafkaWire"], packageAccess: false,
            swiftSettings: settings),
        .testTarget(
            name: "KafkaWireConformanceTests", dependencies: ["KafkaFake", "KafkaWire", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "KafkaWireToolTests", dependencies: ["KafkaWireTool", "KafkaWire", "KafkaFake", "TestSupport"],
            swiftSettings: settings),
        // How many allocations a record costs; it counts those of ClientBenchmark.
        .testTarget(
            name: "ClientBenchmarkTests", dependencies: ["ClientBenchmark", "KafkaFake", "KafkaWire", "TestSupport"],
            exclude: ["count-allocations.c"], swiftSettings: settings),
        .testTarget(name: "PGWireTests", dependencies: ["PGWire"], swiftSettings: settings),
        .testTarget(
            name: "PGWireConformanceTests", dependencies: ["PGWire", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "CommandLineSupportTests", dependencies: ["CommandLineSupport", "Concurrency"],
            swiftSettings: settings),
        .testTarget(name: "HTTPServerTests", dependencies: ["HTTPServer", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "IngestEngineTests",
            dependencies: [
                "CommandLineSupport", "Concurrency", "IngestEngine", "IngestEngineFuzz", "KafkaWire", "PGWire",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "IngestEngineConformanceTests", dependencies: ["IngestEngine", "PGWire", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "TFIConsumerTests",
            dependencies: [
                "TFIConsumer", "CommandLineSupport", "Concurrency", "HTTPServer", "IngestEngine", "KafkaFake",
                "KafkaWire",
                "PGWire", "TestSupport",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "TFIConsumerConformanceTests",
            dependencies: ["TFIConsumer", "IngestEngine", "PGWire", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "TFIProducerTests", dependencies: ["Concurrency", "TFIProducer"], swiftSettings: settings),
        // Without strict memory safety: the macro of an exit test expands to code that warns.
        .testTarget(
            name: "TestSupportTests", dependencies: ["TestSupport"]),
        .testTarget(
            name: "ShippedProgramTests", dependencies: ["PGWire", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "PipelineTests", dependencies: ["KafkaWire", "KafkaFake", "PGWire", "TestSupport"],
            swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)

// The thread sanitizer's build in CI: the client and its unit tests, which have nearly all of the threads. Without tests of
// functions from bytes to values, which have none: that saves CI a quarter of the processor time.
if Context.environment["TFI_CLIENT_TESTS_ONLY"] == "1" {
    let kept = [
        "CEpoll", "CISAL", "CLZ4", "COpenSSL", "CSnappy", "CSpawn", "CZlib", "CZstd", "Concurrency", "KafkaFake",
        "KafkaWire",
        "KafkaWireTests", "TestSupport",
    ]
    package.targets.removeAll { !kept.contains($0.name) }
    package.products.removeAll { !kept.contains($0.name) }
    for target in package.targets where target.name == "KafkaWireTests" {
        target.exclude = ["Fuzz", "Protocol", "Records", "Security"]
        target.dependencies.removeAll { dependency in
            if case .byNameItem("KafkaWireFuzz", _) = dependency { true } else { false }
        }
    }
}

// The sanitizers' builds run only the unit tests, and spend no time on the targets that need servers or are run by hand.
if Context.environment["TFI_UNIT_TESTS_ONLY"] == "1" {
    package.targets.removeAll { target in
        target.name.hasSuffix("ConformanceTests") || target.name.hasPrefix("example-")
            || [
                "Chaos", "ChaosTests", "ClientBenchmark", "ClientBenchmarkTests", "PipelineTests",
                "ShippedProgramTests", "TestSupportTests",
            ]
            .contains(target.name)
    }
}
