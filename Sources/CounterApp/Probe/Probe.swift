package import System

/// A look at a running counter from outside, as a visitor has it.
package struct Probe: ~Copyable {
  private let address: WebAddress
  private var client: WebClient

  /// What is wrong with the counter.
  package enum Failure: Error, Equatable, CustomStringConvertible {
    /// Nobody can be connected to there.
    case unreachable(String)
    /// Whoever is there does not do as a counter does.
    case unwell(String)

    /// What is wrong, in one line.
    package var description: String {
      switch self {
      case .unreachable(let reason), .unwell(let reason): reason
      }
    }
  }

  /// - Parameter limit: how long everything that is asked may take together.
  package init(of address: WebAddress, limit: Interval) throws(Failure) {
    self.address = address
    do throws(WebClient.Failure) {
      client = try WebClient(limit: limit)
    } catch {
      throw .unwell("\(error)")
    }
  }

  /// Makes sure that a counter on this machine says within 2 seconds that it serves.
  package static func checkHealth(ofPort port: UInt16) throws(Failure) {
    for host in ["127.0.0.1", "::1"] {
      var probe = try Probe(of: WebAddress(host: host, port: port), limit: .seconds(2))
      do throws(Failure) {
        return try probe.checkHealth()
      } catch {
        guard case .unreachable = error else { throw error }
      }
    }
    throw .unreachable("nobody listens on port \(port) of 127.0.0.1 or ::1")
  }

  /// Makes sure that the counter says that it serves.
  package mutating func checkHealth() throws(Failure) {
    let text = try get(.health)
    guard text == "\(Pages.healthy)" else {
      throw .unwell("\(address)/health answers something else than a counter: \(Self.shown(text))")
    }
  }

  /// Visits the counter, and once again.
  ///
  /// - Returns: the two numbers, of which the second is the greater.
  package mutating func visitTwice() throws(Failure) -> (first: Int64, second: Int64) {
    let (first, second) = (try visit(), try visit())
    guard second > first else {
      throw .unwell("\(address)/ gave number \(first) to a visit and \(second) to the next one")
    }
    return (first, second)
  }

  private mutating func visit() throws(Failure) -> Int64 {
    let (before, after) = ("\(VisitText.before)", "\(VisitText.after)")
    let text = try get(.visit)
    guard text.hasPrefix(before), text.hasSuffix(after),
      let number = Int64(text.dropFirst(before.count).dropLast(after.count))
    else {
      throw .unwell("\(address)/ answers without a visit's number: \(Self.shown(text))")
    }
    return number
  }

  private mutating func get(_ route: Route) throws(Failure) -> String {
    let place = "\(address)\(route.path)"
    let answer: WebAnswer
    do throws(WebClient.Failure) {
      answer = try client.get("\(route.path)", from: address)
    } catch .unreachable(let error) {
      throw .unreachable("\(place): \(error.reason)")
    } catch {
      throw .unwell("\(place): \(error)")
    }
    guard answer.status == 200 else {
      throw .unwell("\(place) answers \(answer.status): \(Self.shown(answer.body))")
    }
    return answer.body
  }

  /// The beginning of a text, in one line.
  private static func shown(_ text: String) -> String {
    let start = text.unicodeScalars.prefix(80).map { $0.value < 32 || $0.value == 127 ? " " : $0 }
    return "'\(String(String.UnicodeScalarView(start)))'"
  }
}
