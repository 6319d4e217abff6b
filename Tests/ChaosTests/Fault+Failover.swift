import Testing

@testable import TestSupport

// A primary with two replicas and three sentinels. A visit is answered when one replica has it.

extension Fault {
  /// What can happen to the primary. Each failover takes some seconds, and no visit fails.
  static let ofPrimary = [
    Fault("primary killed and never back, a replica promoted", minReplicas: 1) { scene in
      let group = try #require(scene.group)
      let old = try group.primary()
      Scene.pass(0.2...1)
      old.crash()
      _ = try group.awaitFailover(from: old)
      _ = scene.repeatedly(every: 0.01...0.02) {}
      return [Strikes(count: 1, what: "kills"), losses(scene)]
    },
    Fault("primary stopped through a failover and continued", minReplicas: 1) { scene in
      try failOver(scene) { group, old in
        old.freeze()
        _ = try group.awaitFailover(from: old)
        Scene.pass(0...0.5)
        old.thaw()
      }
    },
    Fault(
      "primary cut off from replicas and sentinels, but not from the counters", minReplicas: 1
    ) { scene in
      try failOver(scene) { group, old in
        try group.cutOff(old, from: RedisGroup.Peer.allCases)
        _ = try group.awaitFailover(from: old)
        try scene.waitUntilEveryoneIsAnswered()
        try group.reconnect(old, with: RedisGroup.Peer.allCases)
      }
    },
    Fault("old primary back with more than it should have", minReplicas: 1) { scene in
      try failOver(scene) { group, old in
        // No replica gets what the counters and another client add now, and nobody is told of it.
        try group.cutOff(old, from: [.replica])
        _ = try old.command("INCRBY", "hits", "1000")
        old.crash()
        _ = try group.awaitFailover(from: old)
        try old.start()
        try scene.waitUntilEveryoneIsAnswered()
      }
    },
    Fault("two failovers in a row", minReplicas: 1) { scene in
      let group = try #require(scene.group)
      var count = 0
      repeat {
        count += 1
        let old = try group.primary()
        Scene.pass(0.1...0.5)
        old.crash()
        let new = try group.awaitFailover(from: old)
        try old.start(following: new)
        try new.awaitReplicas(2)
        try group.awaitSettling()
      } while count < 2 || !scene.isOver
      return [Strikes(count: count, what: "failovers"), losses(scene)]
    },
  ]

  /// What can happen to replicas while the primary serves.
  static let ofReplicas = [
    Fault("replica killed and restarted", minReplicas: 1) { scene in
      let group = try #require(scene.group)
      let (primary, replicas) = (try group.primary(), try group.replicas())
      let count = try scene.repeatedly(every: 0.1...0.5) {
        let replica = try #require(replicas.randomElement())
        replica.crash()
        try scene.waitUntilEveryoneIsAnswered()
        try replica.start(following: primary)
        try primary.awaitReplicas(2)
      }
      return [Strikes(count: count, what: "kills")]
    },
    Fault(
      "both replicas killed and restarted", .countedOnceAtMost, visitTimeout: 1, minReplicas: 1
    ) { scene in
      try starve(scene) { _, replicas in
        for replica in replicas { replica.crash() }
      } andFeed: { primary, replicas in
        for replica in replicas { try replica.start(following: primary) }
      }
    },
    Fault(
      "primary cut off from its replicas only", .countedOnceAtMost, visitTimeout: 1, minReplicas: 1
    ) { scene in
      let group = try #require(scene.group)
      return try starve(scene) { primary, _ in
        try group.cutOff(primary, from: [.replica])
      } andFeed: { primary, _ in
        try group.reconnect(primary, with: [.replica])
      }
    },
  ]

  /// Loses the primary again and again. When there is time for another strike, the old one has become a replica
  /// before it.
  private static func failOver(
    _ scene: Scene, _ strike: (RedisGroup, RedisProcess) throws -> Void
  ) throws -> [Strikes] {
    let group = try #require(scene.group)
    let count = try scene.repeatedly(every: 0.2...1) {
      let old = try group.primary()
      try strike(group, old)
      guard !scene.isOver else { return }
      try group.awaitDemotion(of: old)
      try group.primary().awaitReplicas(2)
      try group.awaitSettling()
    }
    return [Strikes(count: count, what: "failovers"), losses(scene)]
  }

  /// Takes the primary its replicas for longer than visits wait, again and again.
  private static func starve(
    _ scene: Scene, _ starve: (RedisProcess, [RedisProcess]) throws -> Void,
    andFeed feed: (RedisProcess, [RedisProcess]) throws -> Void
  ) throws -> [Strikes] {
    let group = try #require(scene.group)
    var unanswered = 0
    let count = try scene.repeatedly(every: 0.2...0.5) {
      let (primary, replicas) = (try group.primary(), try group.replicas())
      try starve(primary, replicas)
      if scene.passUnanswered(1.5...2.5) { unanswered += 1 }
      try feed(primary, replicas)
      try primary.awaitReplicas(2)
    }
    return [
      Strikes(count: count, what: "times"),
      Strikes(count: unanswered, what: "silences of all visitors"),
    ]
  }

  private static func losses(_ scene: Scene) -> Strikes {
    let losses = scene.counters.map { $0.linesLogged(with: "Redis lost") }.reduce(0, +)
    return Strikes(count: losses, what: "losses in the counters' logs")
  }
}
