import Foundation

@testable import TestSupport

/// What a fault happens to: a Redis, two counters with two event loops each, 32 visitors of `/`, and 16 of
/// counters with names.
final class Scene {
  /// How long a fault goes on, in seconds: the environment variable CHAOS_SECONDS, else 2.
  static let seconds =
    ProcessInfo.processInfo.environment["CHAOS_SECONDS"].flatMap(Double.init) ?? 2

  /// The one that counts at the end.
  var redis: RedisProcess

  /// The same, when the link is encrypted.
  let encryptedRedis: TLSRedis?

  /// The replicas of Redis and their sentinels, if there are any.
  let group: RedisGroup?

  /// The Redis Cluster that visits are counted in, in place of the one Redis.
  let cluster: RedisCluster?
  let visitors: Visitors

  /// Visitors of counters with names, unless the program under test has none.
  let counterVisitors: CounterVisitors?
  private(set) var counters: [CounterProcess]

  /// The link to Redis, when it is one that can be bad.
  let proxy: LinkProxy?

  /// Starts the counter of an index on a port, or on a free one.
  private let start: (Int, UInt16?) throws -> CounterProcess
  private var began = ContinuousClock.now

  init(
    _ redis: RedisProcess, _ encryptedRedis: TLSRedis?, _ group: RedisGroup?,
    _ cluster: RedisCluster?, _ proxy: LinkProxy?,
    whenRefused: Visitors.WhenRefused,
    hasNames: Bool, start: @escaping (Int, UInt16?) throws -> CounterProcess
  ) throws {
    let counters = try (0..<2).map { try start($0, nil) }
    for counter in counters { try counter.waitUntilReady() }
    self.redis = redis
    self.encryptedRedis = encryptedRedis
    self.group = group
    self.cluster = cluster
    self.proxy = proxy
    self.counters = counters
    self.start = start
    let (ports, limit) = (counters.map(\.port), Duration.seconds(Self.seconds + 90))
    visitors = Visitors(32, ports: ports, whenRefused: whenRefused, limit: limit)
    counterVisitors =
      hasNames ? CounterVisitors(16, ports: ports, whenRefused: whenRefused, limit: limit) : nil
  }

  /// From here on its time runs.
  func begin() {
    began = .now
  }

  /// Kills a counter as a crash would, and starts another in its place.
  func replaceCounter(_ index: Int) throws {
    counters[index].end()
    counters[index] = try start(index, counters[index].port)
  }

  func end() {
    visitors.tellToStop()
    counterVisitors?.tellToStop()
    for counter in counters { counter.end() }
  }

  /// How long it has gone on.
  var time: Duration { .now - began }

  var isOver: Bool { time > .seconds(Self.seconds) }

  /// What Redis counts.
  var count: Int64 {
    get throws {
      let hits = try cluster.map { try $0.command(at: "hits", "GET", "hits").text } ?? redis.hits
      return Int64(hits ?? "0") ?? -1
    }
  }

  /// The counters with names that Redis holds.
  var contents: CounterContents {
    get throws { try CounterContents(try cluster?.primaries() ?? [redis]) }
  }

  func waitUntilEveryoneIsAnswered() throws {
    try visitors.waitUntilEveryoneIsAnswered()
    try counterVisitors?.waitUntilEveryoneIsAnswered()
  }

  /// Does something again and again, at random moments, until the time is over.
  ///
  /// - Parameter pause: how long nothing happens in between, in seconds.
  /// - Returns: how often.
  func repeatedly(every pause: ClosedRange<Double>, _ body: () throws -> Void) rethrows -> Int {
    var count = 0
    repeat {
      Self.pass(pause)
      try body()
      count += 1
    } while !isOver
    return count
  }

  /// Lets time pass in which nobody can be answered.
  ///
  /// - Returns: whether nobody was, once the answers had arrived that were on their way. Visitors ask
  ///   again at once, so there are visits that wait for one.
  func passUnanswered(_ seconds: ClosedRange<Double>) -> Bool {
    Self.pass(0.02...0.03)
    let answered = visitors.answered
    Self.pass(seconds)
    return visitors.answered == answered
  }

  /// Lets time pass: how long, is left to chance.
  static func pass(_ seconds: ClosedRange<Double>) {
    Thread.sleep(forTimeInterval: .random(in: seconds))
  }
}

/// Lends a scene for a fault, in which everything runs and every visitor has been answered.
///
/// - Parameters:
///   - program: a counter other than the one under test.
///   - flags: those of this program.
///   - hasNames: whether counters with names are visited as well.
func withScene<Result>(
  for fault: Fault, program: String? = nil, flags: [String] = [], hasNames: Bool = true,
  _ body: (Scene) throws -> Result
) throws -> Result {
  if let minReplicas = fault.minReplicas {
    return try withRedisGroup { group in
      try withScene(
        for: fault, group.servers[0], group: group, program: program,
        flags: flags + ["--min-replicas", "\(minReplicas)"], hasNames: hasNames, body)
    }
  }
  if fault.isEncrypted {
    return try withTLSRedis { redis in
      try withScene(
        for: fault, redis.plain, encrypted: redis, program: program, flags: flags + redis.trust,
        hasNames: hasNames, body)
    }
  }
  if let kind = fault.cluster {
    let hasReplicas = kind == .withReplicas
    return try withRedisCluster(hasReplicas: hasReplicas) { cluster in
      try withScene(
        for: fault, cluster.nodes[0], cluster: cluster, program: program,
        flags: flags + (hasReplicas ? ["--min-replicas", "1"] : []), hasNames: hasNames, body)
    }
  }
  return try withRedis { redis in
    try withScene(
      for: fault, redis, program: program, flags: flags, hasNames: hasNames, body)
  }
}

private func withScene<Result>(
  for fault: Fault, _ redis: RedisProcess, encrypted: TLSRedis? = nil, group: RedisGroup? = nil,
  cluster: RedisCluster? = nil,
  program: String?, flags: [String], hasNames: Bool, _ body: (Scene) throws -> Result
) throws -> Result {
  let upstream = encrypted?.port ?? redis.port
  let scheme = encrypted == nil ? "redis" : "rediss"
  let proxy = fault.hasProxy ? try LinkProxy(to: upstream) : nil
  defer { proxy?.end() }
  return try withTemporaryFolder { folder in
    let tokens = "\(folder)/tokens"
    try "* \(CounterClient.token)\n".write(toFile: tokens, atomically: true, encoding: .utf8)
    let scene = try Scene(
      redis, encrypted, group, cluster, proxy, whenRefused: fault.whenRefused, hasNames: hasNames
    ) { index, port in
      let server = "\(scheme)://\(fault.credentials[index])127.0.0.1:\(proxy?.port ?? upstream)"
      return try CounterProcess(
        ["--redis", group?.url ?? cluster?.url ?? server, "--threads", "2"]
          + ["--visit-timeout", "\(fault.visitTimeout)", "--tokens", tokens] + flags,
        folder: folder, port: port, program: program)
    }
    defer { scene.end() }
    try scene.waitUntilEveryoneIsAnswered()
    return try body(scene)
  }
}
