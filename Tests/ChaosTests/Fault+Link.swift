import Testing

@testable import TestSupport

extension Fault {
  /// What the link between a counter and its Redis can do to them.
  static let ofLink = [
    Fault("link cut at any byte", hasProxy: true) { scene in
      let record = try disturb(scene, .cut)
      return [
        Strikes(count: record.struck, what: "cuts"),
        Strikes(count: record.places.count, what: "different places"),
      ]
    },
    Fault("reply lost, link cut", hasProxy: true) { scene in
      [Strikes(count: try disturb(scene, .loseReply).struck, what: "replies")]
    },
    Fault("reply lost, link stays open", hasProxy: true) { scene in
      [Strikes(count: try disturb(scene, .swallowReply).struck, what: "replies")]
    },
    Fault("bytes trickle one at a time", hasProxy: true) { scene in
      [Strikes(count: try disturb(scene, .trickle).struck, what: "messages")]
    },
    Fault("link stalls", hasProxy: true) { scene in
      [Strikes(count: try disturb(scene, .stall(0.01...1.3)).struck, what: "stalls")]
    },
    Fault("old copies of commands arrive later", hasProxy: true) { scene in
      let record = try disturb(scene, .deliverOldCopy)
      return [
        Strikes(count: record.struck, what: "copies"),
        Strikes(count: record.staleCopies, what: "behind a later batch"),
      ]
    },
  ]

  /// The same for longer than a visit waits.
  static let ofLinkForLonger = [
    Fault(
      "link stalls for longer than visits wait", .countedOnceAtMost, visitTimeout: 0.3,
      hasProxy: true
    ) { scene in
      [Strikes(count: try disturb(scene, .stall(0.2...0.8)).struck, what: "stalls")]
    },
    Fault(
      "reply lost, and no time to ask again", .countedOnceAtMost, visitTimeout: 0.2, hasProxy: true
    ) { scene in
      [Strikes(count: try disturb(scene, .swallowReply).struck, what: "replies")]
    },
  ]

  /// Lets the link misbehave until the time is over.
  static func disturb(_ scene: Scene, _ trouble: Trouble) throws -> LinkProxy.Record {
    let proxy = try #require(scene.proxy)
    proxy.trouble = trouble
    _ = scene.repeatedly(every: 0.01...0.02) {}
    proxy.trouble = nil
    return proxy.record
  }
}
