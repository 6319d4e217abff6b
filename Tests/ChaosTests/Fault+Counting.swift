import Testing

@testable import TestSupport

extension Fault {
  /// What can happen to what is counted and to those who count.
  static let ofCounting = [
    Fault("none: two counters with two loops each") { scene in
      _ = scene.repeatedly(every: 0.01...0.02) {}
      return []
    },
    Fault("a counter killed while another serves", .cutOff) { scene in
      let count = try scene.repeatedly(every: 0.05...0.3) {
        try scene.replaceCounter(scene.counters.count - 1)
      }
      // None failed otherwise: that is checked in the end.
      return [
        Strikes(count: count, what: "kills"),
        Strikes(count: scene.visitors.failed, what: "visits cut off"),
      ]
    },
    Fault("`hits` holds text", .neverCounted) { scene in try block(scene, with: "many") },
    Fault("`hits` is the largest number", .neverCounted) { scene in
      try block(scene, with: "\(Int64.max)")
    },
    Fault("counters with names hold text", refusesNames: true) { scene in
      let keys = try ["one/0", "ten/4"].map { try key(of: $0, in: scene.redis) }
      let count = try scene.repeatedly(every: 0.05...0.2) {
        // It looks like the outcomes of a batch.
        let numbers = try keys.map { try scene.redis.command("GETSET", $0, "7 -").text }
        Scene.pass(0.05...0.2)
        for case (let key, let number?) in zip(keys, numbers) {
          _ = try scene.redis.command("SET", key, number)
        }
      }
      return [Strikes(count: count, what: "times")]
    },
  ]

  /// The key of a counter with a name, once there is one.
  private static func key(of name: String, in redis: RedisProcess) throws -> String {
    var key: String?
    try waitUntil("\(name) is counted") {
      if case .list(let keys) = try redis.command("KEYS", "{*}:\(name)") { key = keys.first?.text }
      return key != nil
    }
    return try #require(key)
  }

  /// Puts a value in place of the count that cannot be counted up, and takes it away again.
  ///
  /// Visits are refused at once, without Redis being asked twice, and the log says why, at most once
  /// a time.
  private static func block(_ scene: Scene, with value: String) throws -> [Strikes] {
    var refused = 0
    let count = try scene.repeatedly(every: 0.05...0.2) {
      refused += try whileBlocked(scene, with: value) { Scene.pass(0.1...0.3) }
      try scene.visitors.waitUntilEveryoneIsAnswered()
    }
    for counter in scene.counters {
      #expect((1...count).contains(counter.linesLogged(with: "cannot be counted")))
    }
    return [
      Strikes(count: count, what: "times"), Strikes(count: refused, what: "refused visits"),
    ]
  }

  /// - Returns: how many visits were refused.
  private static func whileBlocked(
    _ scene: Scene, with value: String, _ body: () throws -> Void
  ) throws -> Int {
    guard let count = try scene.redis.command("GETSET", "hits", value).text else { return 0 }
    let (visitsBefore, callsBefore) = (scene.visitors.failed, try scene.redis.callCount("evalsha"))
    let othersBefore = scene.counterVisitors?.answered ?? 0
    try body()
    let calls = try scene.redis.callCount("evalsha") - callsBefore
    let visits = scene.visitors.failed - visitsBefore
    let others = (scene.counterVisitors?.answered ?? 0) - othersBefore
    _ = try scene.redis.command("SET", "hits", count)
    // Those under way at the first look come on top.
    #expect(calls <= visits + others + 64, "no visit is asked for twice")
    return visits
  }
}
