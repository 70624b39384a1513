// swift-tools-version: 6.2
import PackageDescription

// This manifest is the architecture: a target may import only what its row lists, and
// `--explicit-target-dependency-import-check error` turns a breach into a failed build.

let house: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

let collections = Target.Dependency.product(name: "OrderedCollections", package: "swift-collections")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTesting = Target.Dependency.product(name: "HummingbirdTesting", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioFoundationCompat = Target.Dependency.product(name: "NIOFoundationCompat", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let tomlKit = Target.Dependency.product(name: "TOMLKit", package: "TOMLKit")

func room(
  _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource]? = nil,
  settings: [SwiftSetting] = house
) -> Target {
  .target(name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: settings)
}

/// Measuring a picture takes a hundred times as long without the optimizer: seconds a test instead of milliseconds.
let optimized = house + [.unsafeFlags(["-O"], .when(configuration: .debug))]

func tests(
  _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource]? = nil
) -> Target {
  .testTarget(
    name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: house)
}

let package = Package(
  name: "atelier",
  platforms: [.macOS(.v15)],
  products: [.executable(name: "atelier", targets: ["atelier"])],
  dependencies: [
    // Exact, because lock files are not kept: the manifest is the lock.
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
    .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
    .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", exact: "2.1.1"),
    .package(url: "https://github.com/LebJe/TOMLKit", exact: "0.6.0"),
    .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
  ],
  targets: [
    // C: system libraries and the small shims that keep foreign types out of Swift.
    .systemLibrary(
      name: "CLibXML", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
    .systemLibrary(
      name: "CLibCryptoSystem", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .target(name: "CLibCrypto", dependencies: ["CLibCryptoSystem"]),
    .target(name: "CVips", linkerSettings: [.linkedLibrary("dl")]),
    .target(name: "CSandbox"),
    .target(name: "COnnx", linkerSettings: [.linkedLibrary("dl")]),
    .target(name: "CShippedDetector", exclude: ["shipped.aidet"]),

    // 0: pure, no input or output at all.
    room("Primitives", [collections]),
    .target(
      name: "Vocab", path: "Vocab",
      exclude: ["README.md", "CHANGES.md", "examples", "vectors"], sources: ["Vocab.swift"],
      resources: [.embedInCode("contexts")], swiftSettings: house),
    room("ActivityStreams", ["Primitives", "Vocab"]),
    room("Signatures", ["Primitives", "CLibCrypto", crypto]),
    room("Policy", ["Primitives"]),
    room("Markup", ["Primitives", "CLibXML"]),
    room("Model", ["Primitives", "Policy"]),

    // 1: one outside thing each.
    room("Persistence", ["Primitives", grdb]),
    room(
      "Transport",
      ["Primitives", asyncHTTPClient, logging, nioCore, nioPosix, nioHTTP1, nioSSL, nioFoundationCompat]),
    room(
      "Forensics", ["Primitives", "Markup", "CVips", "CSandbox", "COnnx", "CShippedDetector", crypto],
      exclude: ["Pixels/CARD.md", "Pixels/EXPERIMENTS.md"], settings: optimized),
    room("DetectorTraining", ["Primitives", "Forensics"], settings: optimized),

    // 2: every statement, and every state change.
    room("Store", ["Primitives", "Policy", "Model", "Persistence"]),
    room("Operations", ["Primitives", "Policy", "Markup", "Model", "Persistence", "Store"]),

    // 3: protocols that drive operations.
    room(
      "Media",
      [
        "Primitives", "Policy", "Model", "Persistence", "Store", "Operations", "Forensics", "Transport", crypto,
        logging,
      ]),
    room(
      "Federation",
      [
        "Primitives", "Vocab", "ActivityStreams", "Signatures", "Policy", "Markup", "Model", "Persistence", "Store",
        "Operations", "Transport", crypto, logging,
      ]),

    // 4: the faces.
    room(
      "HTTPSupport",
      [
        "Primitives", "Policy", "Model", "Persistence", "Store", "Operations", crypto, hummingbird, httpTypes,
        logging, nioCore,
      ]),
    room(
      "FederationHTTP",
      [
        "Primitives", "Vocab", "Signatures", "Policy", "Model", "Persistence", "Store", "Federation", "HTTPSupport",
        hummingbird, httpTypes, logging, nioCore,
      ]),
    room(
      "ClientAPI",
      [
        "Primitives", "Policy", "Markup", "Model", "Persistence", "Store", "Operations", "Media", "Federation",
        "HTTPSupport", hummingbird, httpTypes, logging, nioCore,
      ]),
    .target(
      name: "Web",
      dependencies: [
        "Primitives", "Policy", "Markup", "Model", "Persistence", "Store", "Operations", "Media", "HTTPSupport",
        hummingbird, httpTypes, logging, mustache, nioCore,
      ],
      resources: [.embedInCode("Templates"), .embedInCode("Assets")], swiftSettings: house),

    // 5: the composition root and the command line.
    room(
      "Server",
      [
        "Primitives", "Vocab", "Signatures", "Policy", "Model", "Persistence", "Store", "Operations", "Transport",
        "Forensics", "Media", "Federation", "HTTPSupport", "FederationHTTP", "ClientAPI", "Web", crypto, hummingbird,
        httpTypes, logging, nioCore, nioPosix, serviceLifecycle, unixSignals, tomlKit,
      ]),
    .executableTarget(
      name: "atelier",
      dependencies: [
        "Primitives", "Policy", "Model", "Persistence", "Store", "Operations", "Forensics", "DetectorTraining", "Media",
        "HTTPSupport", "Server", argumentParser, logging, crypto,
      ],
      swiftSettings: house),

    // Tests.
    .target(
      name: "TestSupport",
      dependencies: [
        "Primitives", "Signatures", "Policy", "Model", "Persistence", "Store", "Operations", "Transport", "Forensics",
        "Media", "Federation", "Server", crypto, hummingbird, hummingbirdCore, httpTypes, logging, nioCore, nioPosix,
        nioHTTP1, nioSSL,
      ],
      path: "Tests/TestSupport", swiftSettings: house),
    tests("PrimitivesTests", ["Primitives"]),
    tests("SignaturesTests", ["Signatures", "Primitives", "CLibCrypto", crypto], resources: [.copy("Vectors")]),
    tests("PolicyTests", ["Policy", "Primitives", "Vocab"]),
    tests("ActivityStreamsTests", ["ActivityStreams", "Primitives", "Vocab"], resources: [.copy("Golden")]),
    tests("MarkupTests", ["Markup", "Primitives"]),
    tests("PersistenceTests", ["Persistence", "Primitives"]),
    tests("TransportTests", ["Transport", "Primitives", logging, nioCore, nioPosix, nioHTTP1, nioSSL]),
    tests("ForensicsTests", ["Forensics", "Primitives", "CVips", "CSandbox", crypto], resources: [.copy("Images")]),
    tests("DetectorTrainingTests", ["DetectorTraining", "Forensics", "Primitives"]),
    tests("MediaTests", ["Media", "Forensics", "Primitives"]),
    tests("StoreTests", ["Store", "Persistence", "Model", "Policy", "Primitives"]),
    tests("OperationsTests", ["Operations", "Store", "Persistence", "Model", "Policy", "Primitives"]),
    tests("ArchitectureTests", [], resources: [.copy("Planted")]),
    tests(
      "ServerTests",
      [
        "TestSupport", "Server", "Primitives", "Vocab", "Signatures", "Policy", "Markup", "Model", "Persistence",
        "Store", "Operations", "Transport", "Forensics", "Media", "Federation", "HTTPSupport", "FederationHTTP",
        "ClientAPI", "Web", crypto, hummingbird, httpTypes, logging, nioCore, nioPosix, nioHTTP1, nioSSL,
      ],
      resources: [.copy("Cases"), .copy("Captured")]),
  ]
)
