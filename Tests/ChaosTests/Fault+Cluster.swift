import Testing

@testable import TestSupport

extension Fault {
  /// What can happen to a Redis Cluster.
  static let ofCluster = [
    Fault("cluster: a primary killed, its replica promoted", cluster: .withReplicas) { scene in
      let cluster = try #require(scene.cluster)
      let count = try scene.repeatedly(every: 0.1...0.5) {
        let primary = try #require(try cluster.primaries().randomElement())
        try cluster.loseAndPromote(primary)
        Scene.pass(0...0.5)
        try cluster.restore(primary)
        try scene.waitUntilEveryoneIsAnswered()
      }
      return [Strikes(count: count, what: "failovers")]
    },
    Fault("cluster: slots moved back and forth", cluster: .ofPrimaries) { scene in
      let cluster = try #require(scene.cluster)
      let count = try scene.repeatedly(every: 0...0.02) {
        let target = try #require(cluster.nodes.randomElement())
        try cluster.moveSlot(of: slotKeys.randomElement() ?? "hits", to: target) {
          Scene.pass(0...0.01)
        }
      }
      return try [Strikes(count: count, what: "slots")] + redirections(cluster)
    },
    Fault("cluster: a node added and removed", cluster: .ofPrimaries) { scene in
      let cluster = try #require(scene.cluster)
      let count = try scene.repeatedly(every: 0.02...0.2) {
        let others = cluster.nodes
        let node = try cluster.add()
        let moved = slotKeys.shuffled().prefix(6)
        for key in moved { try cluster.moveSlot(of: key, to: node) }
        Scene.pass(0.1...0.3)
        for key in moved {
          try cluster.moveSlot(of: key, to: try #require(others.randomElement()))
        }
        // The other nodes learn from each other that it has no slots.
        try waitUntil("it has no slots", within: .seconds(30)) {
          try cluster.primaries().count == others.count
        }
        try cluster.remove(node)
      }
      return try [Strikes(count: count, what: "nodes")] + redirections(cluster)
    },
  ]

  /// A key in the slot of each bucket, and that of `/`.
  private static let slotKeys = ["hits"] + (0..<16).map { "{\($0)}:counters" }

  /// How often the nodes answered that a slot is elsewhere.
  private static func redirections(_ cluster: RedisCluster) throws -> [Strikes] {
    try ["MOVED", "ASK"].map { kind in
      Strikes(
        count: try cluster.nodes.reduce(0) { try $0 + $1.errorCount(kind) },
        what: "\(kind) answers")
    }
  }
}
