import Testing

@testable import TestSupport

extension Fault {
  /// What the link can do when it is encrypted, and certificates that a counter must not accept.
  static let ofEncryptedLink = [
    Fault("TLS: link cut at any byte", hasProxy: true, isEncrypted: true) { scene in
      let record = try disturb(scene, .cut)
      return [
        Strikes(count: record.struck, what: "cuts"),
        Strikes(count: record.places.count, what: "different places"),
      ]
    },
    Fault("TLS: bytes trickle one at a time", hasProxy: true, isEncrypted: true) { scene in
      [Strikes(count: try disturb(scene, .trickle).struck, what: "messages")]
    },
    Fault("TLS: link stalls", hasProxy: true, isEncrypted: true) { scene in
      [Strikes(count: try disturb(scene, .stall(0.01...1.3)).struck, what: "stalls")]
    },
    Fault("TLS: bytes get lost, link stays open", hasProxy: true, isEncrypted: true) { scene in
      [Strikes(count: try disturb(scene, .swallowReply).struck, what: "messages")]
    },
    Fault("TLS: certificates that are not to be trusted", isEncrypted: true) { scene in
      let redis = try #require(scene.encryptedRedis)
      let bad = try redis.makeBadCertificates()
      let strikes = try scene.repeatedly(every: 0.1...0.4) {
        try redis.use(bad.randomElement() ?? "server")
        _ = try scene.redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        Scene.pass(0.05...0.3)
        try redis.use("server")
      }
      return [Strikes(count: strikes, what: "exchanges")]
    },
  ]
}
