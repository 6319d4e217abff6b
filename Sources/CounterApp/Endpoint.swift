import HTTP

/// The paths that the program serves, those that are asked for most first; `/` is found without a search.
enum Endpoint: Int, CaseIterable {
  case hit
  case get
  case hitByQuery
  case getByQuery
  case hitBadge
  case getBadge
  case hitDigits
  case getDigits
  case hitPixel
  case getPixel
  case hitBadgeJSON
  case getBadgeJSON
  case hitShield
  case getShield
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
    default: false
    }
  }

  /// Whether it shows counters live.
  var isLive: Bool {
    switch self {
    case .stream, .streamOfHits, .streamByQuery, .live, .liveOfHits, .liveByQuery: true
    default: false
    }
  }

  /// The image of a counter that it serves.
  var image: ImageKind? {
    switch self {
    case .hitBadge, .getBadge: .badge
    case .hitDigits, .getDigits: .digits
    case .hitPixel, .getPixel: .pixel
    case .hitBadgeJSON, .getBadgeJSON: .badgeJSON
    case .hitShield, .getShield: .shield
    default: nil
    }
  }

  /// Whether a request for the image counts.
  var isHitOfImage: Bool {
    switch self {
    case .hitBadge, .hitDigits, .hitPixel, .hitBadgeJSON, .hitShield: true
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
    case .hitBadge: Route("/hit/{namespace}/{key}/badge.svg", [.get, .head])
    case .getBadge: Route("/get/{namespace}/{key}/badge.svg", [.get, .head])
    case .hitDigits: Route("/hit/{namespace}/{key}/digits.svg", [.get, .head])
    case .getDigits: Route("/get/{namespace}/{key}/digits.svg", [.get, .head])
    case .hitPixel: Route("/hit/{namespace}/{key}/pixel.gif", [.get, .head])
    case .getPixel: Route("/get/{namespace}/{key}/pixel.gif", [.get, .head])
    case .hitBadgeJSON: Route("/hit/{namespace}/{key}/badge.json", [.get, .head])
    case .getBadgeJSON: Route("/get/{namespace}/{key}/badge.json", [.get, .head])
    case .hitShield: Route("/hit/{namespace}/{key}/shield", [.get, .head])
    case .getShield: Route("/get/{namespace}/{key}/shield", [.get, .head])
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
