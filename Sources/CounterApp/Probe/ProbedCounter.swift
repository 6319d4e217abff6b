import BasicContainers
import Counting

/// The counter with a name that a check visits: a namespace, a slash and a key.
package struct ProbedCounter: Sendable {
  /// The path that hits the counter.
  package let path: String

  /// A name that breaks a rule for names, and the rule.
  package struct Malformed: Error, CustomStringConvertible {
    package let description: String
  }

  /// - Parameter name: for example `smoke-test/deployment`.
  package init(_ name: String) throws(Malformed) {
    let parts = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    let namespace = parts[0]
    let key = parts.count > 1 ? parts[1] : ""
    do throws(NameError) {
      try CounterName.checkNamespace(Self.bytes(namespace).span)
      try CounterName.checkKey(Self.bytes(key).span)
    } catch {
      throw Malformed(description: "\(error.rule)")
    }
    path = "/hit/\(namespace)/\(Self.percentEncoded(key))"
  }

  private static func bytes(_ text: Substring) -> UniqueArray<UInt8> {
    var bytes = UniqueArray<UInt8>()
    for byte in text.utf8 { bytes.append(byte) }
    return bytes
  }

  /// A text as it stands in one segment of a path (RFC 3986 section 2.3: unreserved characters stay).
  private static func percentEncoded(_ text: Substring) -> String {
    text.utf8.map { byte in
      let scalar = Unicode.Scalar(byte)
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9", "-", ".", "_", "~": return String(scalar)
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        return digits.count == 1 ? "%0\(digits)" : "%\(digits)"
      }
    }.joined()
  }
}
