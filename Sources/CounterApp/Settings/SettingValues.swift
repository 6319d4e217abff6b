import Counting
import HTTP
import Redis
import System

// How the values of settings are read. Each function understands the whole text or refuses it.

extension GivenValue {
  func path() throws -> String {
    guard !text.isEmpty else { throw isBad("the path is empty") }
    return text
  }

  func address() throws -> String {
    guard isNumericAddress else { throw isNot("an IPv4 or IPv6 address") }
    return text
  }

  /// - Parameter least: 1 for the port of a server to connect to.
  func port(from least: UInt16 = 0) throws -> UInt16 {
    guard let port = text.wholeNumber.flatMap(UInt16.init(exactly:)), port >= least else {
      throw isNot("a port from \(least) to 65535")
    }
    return port
  }

  func number() throws -> Int {
    guard let number = text.wholeNumber else { throw isNot("a number") }
    return number
  }

  func number(in range: ClosedRange<Int>) throws -> Int {
    guard let number = text.wholeNumber, range.contains(number) else {
      throw isNot("a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// Reads seconds: decimal digits and at most one point.
  func seconds(from least: String = "0.001") throws -> Interval {
    let isDecimal = text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2E }
    guard isDecimal, let seconds = Double(text), let least = Double(least),
      (least...3600).contains(seconds)
    else { throw isNot("a number of seconds from \(least) to 3600") }
    return Interval(nanoseconds: Int64(seconds * 1e9))
  }

  func isOn() throws -> Bool {
    switch text {
    case "1", "true", "yes", "on": return true
    case "0", "false", "no", "off": return false
    default: throw isNot("true or false")
    }
  }

  /// Reads one of the names that a type has for its values.
  func choice<Value: RawRepresentable<String> & CaseIterable>() throws -> Value {
    guard let value = Value(rawValue: text) else {
      let names = Value.allCases.map(\.rawValue)
      throw isNot("\(names.dropLast().joined(separator: ", ")) or \(names.last ?? "")")
    }
    return value
  }

  /// Reads networks with a comma between two of them, and perhaps spaces around each.
  func networks() throws -> [Network] {
    var networks: [Network] = []
    for element in elements {
      guard let network = Network(element) else {
        throw isNot(
          "a list of IPv4 or IPv6 addresses or prefixes (10.0.0.0/8) with commas between them")
      }
      networks.append(network)
    }
    return networks
  }

  /// Reads namespaces with a comma between two of them, and perhaps spaces around each.
  func namespaces() throws -> Set<String> {
    var namespaces: Set<String> = []
    for element in elements {
      guard CounterName.isNamespace(element) else {
        throw isNot(
          "a list of namespaces (1 to 64 of A-Z, a-z, 0-9, . _ -) with commas between them")
      }
      namespaces.insert(element)
    }
    return namespaces
  }

  /// Reads pairs of a namespace and an origin with a comma between two of them, and perhaps spaces around each.
  func origins() throws -> Origins {
    var origins = Origins()
    for element in elements {
      let parts = element.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, CounterName.isNamespace(String(parts[0])),
        let origin = Origin(String(parts[1]))
      else {
        throw GivenValue(name: name, text: element)
          .isNot("a namespace, '=' and an origin without a path, such as blog=https://blog.example")
      }
      origins.add(origin, to: String(parts[0]))
    }
    guard origins.count <= Origins.most else { throw isBad("more than \(Origins.most) origins") }
    return origins
  }

  func integer() throws -> Int64 {
    guard !text.hasPrefix("+"), let number = Int64(text) else {
      throw isNot("an integer of 64 bits")
    }
    return number
  }

  /// Reads what can be added to a counter.
  func amount() throws -> Int64 {
    let number = try integer()
    guard number != 0 else { throw isNot("an integer other than 0") }
    return number
  }

  func idempotencyKey() throws -> String {
    guard (1...255).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
    else { throw isBad("a key has 1 to 255 visible ASCII characters") }
    return text
  }

  func serverURL() throws -> HTTPURL {
    do throws(AddressError) {
      return try HTTPURL(text)
    } catch {
      throw isBad(error.reason)
    }
  }

  /// The text is not shown.
  func token() throws -> String {
    guard Tokens.isToken(text) else { throw isBad(Tokens.rule) }
    return text
  }

  /// The elements of a list with commas, without the spaces around each.
  private var elements: [String] {
    text.split(separator: ",", omittingEmptySubsequences: false).map { element in
      var element = element.drop { $0 == " " }
      while element.last == " " { element.removeLast() }
      return String(element)
    }
  }

  func redisURL() throws -> RedisAddress {
    do throws(AddressError) {
      return try RedisAddress(text)
    } catch {
      throw isBad(error.reason)
    }
  }

  /// Reads a host without a port: a name, or a numeric address.
  func remoteHost() throws -> String {
    let isName = text.allSatisfy { character in
      character.isASCII && (character.isLetter || character.isNumber || "._-".contains(character))
    }
    guard !text.isEmpty, isName || isNumericAddress else {
      throw isNot("a host name or an address")
    }
    return text
  }

  private var isNumericAddress: Bool { SocketAddress(host: text, port: 0) != nil }
}
