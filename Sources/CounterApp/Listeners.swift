import BasicContainers
import HTTP
import System

/// The sockets that clients connect to: one for each event loop, all on the same port.
struct Listeners: ~Copyable {
  private var listeners: UniqueArray<Listener>

  /// The address and port, as the log shows them.
  let address: String

  /// Opens the listeners of the event loops.
  static func open(_ configuration: Configuration) throws(Application.Failure) -> Listeners {
    let host = configuration.host
    var port = configuration.port
    var listeners = UniqueArray<Listener>()
    do throws(Listener.Failure) {
      if port != 0 { try Listener.check(host: host, port: port) }
      for _ in 0..<configuration.threads {
        let listener = try Listener(host: host, port: port)
        port = listener.port
        listeners.append(listener)
      }
    } catch {
      let address = address(host, port)
      switch error {
      case .inUse: throw .unavailable("\(address) is in use by another program")
      case .system(let error):
        throw .unavailable("\(address) cannot be listened on: \(error.reason)")
      }
    }
    return Listeners(listeners: listeners, address: address(host, port))
  }

  /// Opens the listener of the metrics.
  static func openMetrics(_ configuration: Configuration) throws(Application.Failure) -> Listener {
    let (host, port) = (configuration.host, configuration.metricsPort)
    do throws(Listener.Failure) {
      try Listener.check(host: host, port: port)
      return try Listener(host: host, port: port)
    } catch {
      let name = "--metrics-port: \(address(host, port))"
      switch error {
      case .inUse:
        throw .unavailable("\(name) is in use by another program; 0 turns the metrics off")
      case .system(let error):
        throw .unavailable("\(name) cannot be listened on: \(error.reason)")
      }
    }
  }

  /// Hands over the socket of one more event loop.
  mutating func release() -> CInt { listeners.removeLast().release() }

  static func address(_ host: String, _ port: UInt16) -> String {
    HTTPURL(host: host, port: port).authority
  }
}
