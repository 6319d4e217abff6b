import HTTP

/// The paths that the program serves, those that are asked for most first; `/` is found without a search.
enum Endpoint: Int, CaseIterable {
  case hit
  case get
  case hitByQuery
  case getByQuery
  case counter
  case namespace
  case script
  case stream
  case streamOfHits
  case streamByQuery
  case live
  case liveOfHits
  case liveByQuery
  case health
  case ready
  case visit

  /// Whether it counts or reads, and changes nothing else. Only then a script can call a function with the
  /// response: management is not for scripts of other pages, and its problems keep their status.
  var isHitOrGet: Bool {
    switch self {
    case .hit, .hitByQuery, .get, .getByQuery: true
    case .visit, .health, .ready, .counter, .namespace, .script: false
    case .stream, .streamOfHits, .streamByQuery, .live, .liveOfHits, .liveByQuery: false
    }
  }

  /// Whether it shows counters live.
  var isLive: Bool {
    switch self {
    case .stream, .streamOfHits, .streamByQuery, .live, .liveOfHits, .liveByQuery: true
    default: false
    }
  }

  var path: StaticString { route.template }

  var route: Route {
    switch self {
    case .hit: Route("/hit/{namespace}/{key}", [.get, .head, .post])
    case .get: Route("/get/{namespace}/{key}", [.get, .head, .post])
    case .hitByQuery: Route("/hit/{namespace}", [.get, .head, .post])
    case .getByQuery: Route("/get/{namespace}", [.get, .head, .post])
    case .counter: Route("/counters/{namespace}/{key}", [.get, .head, .put, .delete])
    case .namespace: Route("/counters/{namespace}", [.get, .head, .put, .delete])
    case .script: Route("/counter.js", [.get, .head])
    case .stream: Route("/stream/{namespace}/{key}", [.get, .head])
    case .streamOfHits: Route("/stream/", [.get, .head])
    case .streamByQuery: Route("/stream/{namespace}", [.get, .head])
    case .live: Route("/live/{namespace}/{key}", [.get, .head])
    case .liveOfHits: Route("/live/", [.get, .head])
    case .liveByQuery: Route("/live/{namespace}", [.get, .head])
    case .health: Route("/health", [.get, .head])
    case .ready: Route("/ready", [.get, .head])
    case .visit: Route("/", [.get, .head])
    }
  }
}
