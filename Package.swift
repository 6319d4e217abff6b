// swift-tools-version: 6.2
import PackageDescription

/// Every module of ours is built under the same rules: the Swift 6 language mode, strict memory
/// safety, and no warning let through.
let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),
]

/// What a visit passes through, module by module, is optimized as one. The compiler inlines across
/// modules only what is `public`, so the small values of System and Telemetry are; nothing else is.
let hotPath: [SwiftSetting] =
  strict + [.unsafeFlags(["-cross-module-optimization"], .when(configuration: .release))]

let containers: Target.Dependency = .product(name: "BasicContainers", package: "swift-collections")

let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")

let package = Package(
  name: "counter",
  products: [.executable(name: "counter", targets: ["counter"])],
  // Exact versions, as the file that would record them, Package.resolved, is not committed.
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
  ],
  // From the top down: a module depends only on modules that stand below it.
  targets: [
    .executableTarget(
      name: "counter",
      dependencies: [
        "CLinux", "CounterApp",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .target(
      name: "CounterApp",
      dependencies: [
        "AccessLog", "Counting", "HTTP", "Redis", "System", "Telemetry", "CLinux", containers,
        .product(name: "Logging", package: "swift-log"),
      ],
      resources: [.embedInCode("Embed/counter.js"), .embedInCode("Live/live.html")],
      swiftSettings: hotPath),
    .target(
      name: "AccessLog", dependencies: ["HTTP", "System", "Telemetry", "CLinux", containers],
      swiftSettings: strict),
    .target(
      name: "Counting", dependencies: ["Redis", "System", "Telemetry", containers, deque],
      swiftSettings: hotPath),
    .target(
      name: "Redis",
      dependencies: [
        "CHiredis", "COpenSSL", "CLinux", "System", "Telemetry", containers, deque,
      ],
      swiftSettings: hotPath),
    .target(
      name: "HTTP", dependencies: ["System", "Telemetry", "CLinux", containers],
      swiftSettings: hotPath),
    .target(
      name: "System", dependencies: ["Telemetry", "CLinux", containers], swiftSettings: hotPath),
    .target(name: "Telemetry", dependencies: [containers], swiftSettings: hotPath),
    .target(name: "CLinux"),
    .target(
      name: "COpenSSL", dependencies: ["CLinux"],
      linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
    .systemLibrary(name: "CHiredis", pkgConfig: "hiredis", providers: [.apt(["libhiredis-dev"])]),

    // Measures what many event loops ask of one Redis: docs/replicas.md.
    .executableTarget(
      name: "emulated-loops",
      dependencies: [
        "Counting", "Redis", "System", "Telemetry",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Benchmarks/EmulatedLoops", swiftSettings: strict),

    // A program that counts wrong, to see whether the chaos suite notices.
    .executableTarget(
      name: "broken-counter", dependencies: ["CounterApp", "Counting"],
      path: "Tests/BrokenCounter", swiftSettings: strict),

    // What several test targets need: a redis-server of a test's own, processes, sockets, patience.
    .target(name: "TestSupport", path: "Tests/Support", swiftSettings: strict),
    // The table of requests, and a server in the test's own process to ask them of.
    .target(
      name: "HTTPTestSupport", dependencies: ["HTTP", "System", "Telemetry"],
      path: "Tests/HTTPSupport",
      swiftSettings: strict),
    .testTarget(
      name: "CounterTests", dependencies: ["counter", "TestSupport", "HTTPTestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "ChaosTests", dependencies: ["counter", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "ReliabilityTests", dependencies: ["counter", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "CounterAppTests",
      dependencies: [
        "AccessLog", "CounterApp", "Counting", "HTTP", "Redis", "System", "Telemetry",
        "TestSupport",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "CountingTests",
      dependencies: [
        "broken-counter", "Counting", "Redis", "System", "Telemetry", "TestSupport",
        "HTTPTestSupport", containers,
      ],
      swiftSettings: strict
    ),
    .testTarget(
      name: "RedisTests",
      dependencies: ["Redis", "System", "Telemetry", "TestSupport", containers],
      swiftSettings: strict
    ),
    .testTarget(
      name: "HTTPTests",
      dependencies: ["HTTP", "System", "Telemetry", "HTTPTestSupport", "TestSupport", containers],
      exclude: ["Comparison/differences.txt", "Comparison/verdicts.py"], swiftSettings: strict),
    .testTarget(
      name: "AccessLogTests",
      dependencies: ["AccessLog", "HTTP", "System", "Telemetry", containers],
      swiftSettings: strict),
    .testTarget(
      name: "SystemTests", dependencies: ["System", "TestSupport"], swiftSettings: strict),
    .testTarget(name: "TelemetryTests", dependencies: ["Telemetry"], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)

// `make fuzz` builds these; libFuzzer brings the main function, which other builds lack.
if Context.environment["FUZZING"] != nil {
  for name in ["Connection", "Parser"] {
    package.targets.append(
      .executableTarget(
        name: "fuzz-\(name.lowercased())",
        dependencies: ["HTTP", "HTTPTestSupport", containers], path: "Fuzzing/\(name)",
        swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])]))
  }
}

// The compiler fails on swift-collections with ThreadSanitizer, so only what is ours is built with it.
if Context.environment["SANITIZE_THREADS"] != nil {
  for target in package.targets
  where target.type != .system && !["CLinux", "COpenSSL"].contains(target.name) {
    target.swiftSettings = (target.swiftSettings ?? []) + [.unsafeFlags(["-sanitize=thread"])]
    target.linkerSettings = [.unsafeFlags(["-sanitize=thread"])]
  }
}
