import Testing

@testable import TestSupport

extension Fault {
  /// What can happen to a redis-server.
  static let ofRedis = [
    Fault("redis-server killed and restarted") { scene in
      try restart(scene) {
        scene.redis.crash()
        Scene.pass(0...0.1)
      }
    },
    Fault("redis-server killed in the middle of what it writes to its log") { scene in
      try restart(scene) {
        // After a crash it might be torn already.
        try scene.redis.stop()
        try scene.redis.tearLog(in: Bool.random() ? .batch : .transactionOfAnother)
      }
    },
    Fault("redis-server restarted, scripts flushed") { scene in
      var unknown = 0
      let count = try scene.repeatedly(every: 0.05...0.3) {
        try scene.redis.stop()
        try scene.redis.start()
        _ = try scene.redis.command("SCRIPT", "FLUSH")
        try scene.visitors.waitUntilEveryoneIsAnswered()
        unknown += try scene.redis.errorCount("NOSCRIPT")
      }
      return [
        Strikes(count: count, what: "restarts"),
        Strikes(count: unknown, what: "NOSCRIPT answers"),
      ]
    },
    Fault("redis-server stopped and continued") { scene in
      stop(scene, every: 0.02...0.3) {
        // A counter asks again after a second.
        Bool.random() ? 0.05...0.3 : 1.0...1.3
      }
    },
    Fault("redis-server loads its data set", strike: load),
    Fault("redis-server out of memory") { scene in
      let count = try scene.repeatedly(every: 0.05...0.3) {
        try deprive(scene.redis, for: 0.02...0.4)
      }
      return try [Strikes(count: count, what: "times"), answers("OOM", scene.redis)]
    },
    Fault("redis-server made a replica and back") { scene in
      let count = try scene.repeatedly(every: 0.05...0.3) {
        try demote(scene.redis, for: 0.02...0.4)
      }
      return try [Strikes(count: count, what: "times"), answers("READONLY", scene.redis)]
    },
    Fault("failover to the replica and back", hasProxy: true, strike: failOver),
    Fault("password refused", credentials: ["default:right@", ""], strike: changePasswords),
    Fault("CLIENT KILL") { scene in
      var killed = 0
      let count = try scene.repeatedly(every: 0.005...0.1) {
        let reply = try scene.redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        if case .integer(let connections) = reply { killed += Int(connections) }
      }
      return [
        Strikes(count: count, what: "times"), Strikes(count: killed, what: "connections killed"),
      ]
    },
    Fault("SCRIPT FLUSH") { scene in
      _ = try scene.redis.command("CONFIG", "RESETSTAT")
      let count = try scene.repeatedly(every: 0.001...0.05) {
        _ = try scene.redis.command("SCRIPT", "FLUSH")
      }
      return try [Strikes(count: count, what: "flushes"), answers("NOSCRIPT", scene.redis)]
    },
  ]

  /// The same for longer than a visit waits.
  static let ofRedisForLonger = [
    Fault(
      "redis-server killed, back after longer than visits wait", .countedOnceAtMost,
      visitTimeout: 0.3
    ) { scene in
      var unanswered = 0
      let count = try scene.repeatedly(every: 0.05...0.3) {
        scene.redis.crash()
        if scene.passUnanswered(0.4...0.8) { unanswered += 1 }
        try scene.redis.start()
      }
      return [Strikes(count: count, what: "kills"), silences(unanswered)]
    },
    Fault(
      "redis-server stopped for longer than visits wait", .countedOnceAtMost, visitTimeout: 0.3
    ) { scene in
      stop(scene, every: 0.05...0.3) { 0.4...0.8 }
    },
    Fault(
      "redis-server out of memory for longer than visits wait", .countedOnceAtMost,
      visitTimeout: 0.3
    ) { scene in
      let count = try scene.repeatedly(every: 0.05...0.3) {
        try deprive(scene.redis, for: 0.6...0.9)
      }
      return try [Strikes(count: count, what: "times"), answers("OOM", scene.redis)]
    },
    Fault(
      "redis-server made a replica for longer than visits wait", .countedOnceAtMost,
      visitTimeout: 0.3
    ) { scene in
      let count = try scene.repeatedly(every: 0.05...0.3) {
        try demote(scene.redis, for: 0.6...0.9)
      }
      return try [Strikes(count: count, what: "times"), answers("READONLY", scene.redis)]
    },
  ]

  /// Ends and starts a redis-server again and again.
  private static func restart(
    _ scene: Scene, afterItWas end: () throws -> Void
  ) throws -> [Strikes] {
    let count = try scene.repeatedly(every: 0.02...0.3) {
      try end()
      try scene.redis.start()
    }
    let losses = scene.counters.map { $0.linesLogged(with: "Redis lost") }.reduce(0, +)
    return [
      Strikes(count: count, what: "kills"),
      Strikes(count: losses, what: "losses in the counters' logs"),
    ]
  }

  /// Stops and continues a redis-server again and again.
  ///
  /// - Parameter time: draws how long a stop lasts, in seconds.
  private static func stop(
    _ scene: Scene, every pause: ClosedRange<Double>, for time: () -> ClosedRange<Double>
  ) -> [Strikes] {
    var unanswered = 0
    let count = scene.repeatedly(every: pause) {
      scene.redis.freeze()
      if scene.passUnanswered(time()) { unanswered += 1 }
      scene.redis.thaw()
    }
    return [Strikes(count: count, what: "stops"), silences(unanswered)]
  }

  private static func silences(_ count: Int) -> Strikes {
    Strikes(count: count, what: "times nobody was answered")
  }

  /// How often a redis-server answered with an error of a kind since it started.
  private static func answers(_ kind: String, _ redis: RedisProcess) throws -> Strikes {
    Strikes(count: try redis.errorCount(kind), what: "\(kind) answers")
  }

  private static func deprive(_ redis: RedisProcess, for time: ClosedRange<Double>) throws {
    _ = try redis.command("CONFIG", "SET", "maxmemory", "1")
    Scene.pass(time)
    _ = try redis.command("CONFIG", "SET", "maxmemory", "0")
  }

  /// Makes it a replica, of a primary that nobody reaches.
  private static func demote(_ redis: RedisProcess, for time: ClosedRange<Double>) throws {
    _ = try redis.command("REPLICAOF", "127.0.0.1", "1")
    Scene.pass(time)
    _ = try redis.command("REPLICAOF", "NO", "ONE")
  }

  /// Restarts with so many keys, and so slowly, that it answers LOADING for a while.
  private static func load(_ scene: Scene) throws -> [Strikes] {
    let keys = "for i = 1, 3000 do redis.call('SET', 'key' .. i, i) end"
    _ = try scene.redis.command("EVAL", keys, "0")
    var answers = 0
    let count = try scene.repeatedly(every: 0.02...0.1) {
      // What the visits wrote is condensed, or loading would take longer each time.
      _ = try scene.redis.command("BGREWRITEAOF")
      try waitUntil("the append-only file is rewritten") {
        let info = try scene.redis.command("INFO", "persistence").text ?? ""
        return info.contains("aof_rewrite_in_progress:0")
          && info.contains("aof_rewrite_scheduled:0")
      }
      scene.redis.crash()
      try scene.redis.start(
        with: ["--key-load-delay", "20", "--loading-process-events-interval-bytes", "1024"])
      answers += try scene.redis.errorCount("LOADING")
    }
    return [
      Strikes(count: count, what: "restarts"), Strikes(count: answers, what: "LOADING answers"),
    ]
  }

  /// Lets the replica take over again and again; the link leads to whoever counts.
  private static func failOver(_ scene: Scene) throws -> [Strikes] {
    let proxy = try #require(scene.proxy)
    return try withRedis { other in
      var (primary, replica) = (scene.redis, other)
      for redis in [primary, replica] {
        _ = try redis.command("CONFIG", "SET", "repl-diskless-sync-delay", "0")
      }
      _ = try replica.command("REPLICAOF", "127.0.0.1", "\(primary.port)")
      var count = 0
      // An even number of times, so that in the end the first one counts again.
      repeat {
        count += try scene.repeatedly(every: 0.05...0.2) {
          try hand(over: primary, to: replica)
          proxy.upstream = replica.port
          swap(&primary, &replica)
        }
      } while primary !== scene.redis
      try scene.visitors.waitUntilEveryoneIsAnswered()
      let refused = try primary.errorCount("READONLY") + replica.errorCount("READONLY")
      return [
        Strikes(count: count, what: "failovers"),
        Strikes(count: refused, what: "READONLY answers"),
      ]
    }
  }

  private static func hand(over primary: RedisProcess, to replica: RedisProcess) throws {
    try waitUntil("the replica follows") {
      try primary.command("INFO", "replication").text?.contains("state=online") == true
    }
    guard try primary.command("FAILOVER") == .status("OK") else {
      throw NeverHappened(description: "Redis does not fail over")
    }
    try waitUntil("the replica has taken over") {
      let old = try primary.command("INFO", "replication").text ?? ""
      let new = try replica.command("INFO", "replication").text ?? ""
      return old.contains("role:slave") && old.contains("master_failover_state:no-failover")
        && new.contains("role:master")
    }
  }

  /// Has a password that only one counter knows, then one that none knows, then none again.
  private static func changePasswords(_ scene: Scene) throws -> [Strikes] {
    let redis = try RESPClient(.ipv4(scene.redis.port))
    let count = try scene.repeatedly(every: 0.02...0.2) {
      for password in ["right", "other", ""] {
        _ = try redis.command(["CONFIG", "SET", "requirepass", password])
        _ = try redis.command(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])
        if !password.isEmpty { Scene.pass(0.05...0.3) }
      }
      try scene.visitors.waitUntilEveryoneIsAnswered()
    }
    return try [
      Strikes(count: count, what: "times"), answers("WRONGPASS", scene.redis),
      answers("NOAUTH", scene.redis),
    ]
  }
}
