import HTTP

/// The paths that the program serves.
enum Endpoint: Int, CaseIterable {
  case visit
  case health
  case ready
  case hit
  case hitByQuery
  case get
  case getByQuery
  case counter
  case namespace

  var path: StaticString { route.template }

  var route: Route {
    switch self {
    case .visit: Route("/", [.get, .head])
    case .health: Route("/health", [.get, .head])
    case .ready: Route("/ready", [.get, .head])
    case .hit: Route("/hit/{namespace}/{key}", [.get, .head, .post])
    case .hitByQuery: Route("/hit/{namespace}", [.get, .head, .post])
    case .get: Route("/get/{namespace}/{key}", [.get, .head, .post])
    case .getByQuery: Route("/get/{namespace}", [.get, .head, .post])
    case .counter: Route("/counters/{namespace}/{key}", [.get, .head, .put, .delete])
    case .namespace: Route("/counters/{namespace}", [.get, .head, .put, .delete])
    }
  }

  /// Whether a script can call a function with the response. Management is not for scripts of other
  /// pages: its problems keep their status.
  var takesCallback: Bool {
    switch self {
    case .hit, .hitByQuery, .get, .getByQuery: true
    case .visit, .health, .ready, .counter, .namespace: false
    }
  }
}
