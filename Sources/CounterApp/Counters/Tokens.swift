import Counting
import Synchronization
import System

/// The tokens that requests may carry, and the namespaces that they are for.
package struct Tokens: Sendable, Equatable {
  private var entries: [Entry] = []

  private struct Entry: Sendable, Equatable {
    /// Nil for all namespaces.
    let namespace: String?
    let token: [UInt8]
  }

  /// The most tokens.
  static var most: Int { 1024 }

  /// The longest token, in bytes.
  static var longest: Int { 255 }

  /// Tokens shorter than this can be guessed.
  static var shortestStrong: Int { 16 }

  init() {}

  /// - Parameters:
  ///   - adminToken: a token for all namespaces.
  ///   - file: the path of a file of tokens.
  init(adminToken: String?, file: String?) throws(FileError) {
    if let adminToken { add(adminToken, for: nil) }
    if let file { try addFile(file) }
  }

  var isEmpty: Bool { entries.isEmpty }

  /// Whether a token is short enough to be guessed.
  var hasWeak: Bool { entries.contains { $0.token.count < Self.shortestStrong } }

  /// The warning about tokens that are too short.
  static var weakness: String { "a token has fewer than 16 characters, and can be guessed" }

  /// What a token allows.
  enum Permission: Equatable {
    case granted
    case otherNamespace
    case unknown
  }

  /// - Parameter namespace: nil for all namespaces.
  private mutating func add(_ token: String, for namespace: String?) {
    entries.append(Entry(namespace: namespace, token: Array(token.utf8)))
  }

  /// Looks a token up. Each token is compared in full, so that the time tells nothing of how much of a
  /// token was right.
  func permission(of token: Span<UInt8>, for namespace: String) -> Permission {
    var permission = Permission.unknown
    for entry in entries where Self.isEqual(entry.token, token) {
      if entry.namespace == nil || entry.namespace == namespace {
        permission = .granted
      } else if permission == .unknown {
        permission = .otherNamespace
      }
    }
    return permission
  }

  private static func isEqual(_ token: [UInt8], _ given: Span<UInt8>) -> Bool {
    var difference = token.count ^ given.count
    for index in 0..<given.count {
      difference |= Int(token[index % token.count] ^ given[index])
    }
    return difference == 0
  }

  /// What a text must be to be a token.
  static var rule: String { "a token has 1 to 255 of A-Z, a-z, 0-9 and -._~+/, then perhaps =" }

  /// Whether a text can be a token: what a Bearer token is made of (`b64token`, RFC 6750 section 2.1).
  static func isToken(_ text: String) -> Bool {
    let body = text.utf8.drop { $0 != UInt8(ascii: "=") }
    let isSound = text.utf8.prefix(text.utf8.count - body.count).allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
      default: "-._~+/".utf8.contains(byte)
      }
    }
    return isSound && !text.isEmpty && text.utf8.first != UInt8(ascii: "=")
      && body.allSatisfy { $0 == UInt8(ascii: "=") } && text.utf8.count <= longest
  }
}

// MARK: - The file

extension Tokens {
  /// Why a file of tokens cannot be used.
  struct FileError: Error, Equatable {
    /// The reason; holds no token.
    let reason: String
  }

  /// Adds the tokens of a file. Each line holds a namespace, or `*` for all, and a token; empty lines and
  /// those that begin with `#` are left out.
  private mutating func addFile(_ path: String) throws(FileError) {
    let bytes: [UInt8]
    do {
      bytes = try TextFile.bytes(path, atMost: Self.largestFile + 1)
    } catch {
      throw FileError(reason: "\(path) cannot be read: \(error.reason)")
    }
    guard bytes.count <= Self.largestFile else {
      throw FileError(reason: "\(path) is larger than 512 KiB")
    }
    let lines = String(decoding: bytes, as: UTF8.self).split(
      omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (number, line) in lines.enumerated() {
      let words = line.split { $0 == " " || $0 == "\t" }
      guard let first = words.first, !first.hasPrefix("#") else { continue }
      let place = "\(path), line \(number + 1)"
      guard words.count == 2 else {
        throw FileError(reason: "\(place): not a namespace, or *, and a token")
      }
      guard first == "*" || CounterName.isNamespace(String(first)) else {
        throw FileError(reason: "\(place): the namespace is not valid")
      }
      guard Self.isToken(String(words[1])) else {
        throw FileError(reason: "\(place): \(Self.rule)")
      }
      add(String(words[1]), for: first == "*" ? nil : String(first))
      guard entries.count <= Self.most else {
        throw FileError(reason: "\(path) has more than \(Self.most) tokens")
      }
    }
  }

  private static var largestFile: Int { 1 << 19 }
}

/// The tokens that are in force. The main thread replaces them when their file changes; event loops look
/// them up for the few requests that need one.
package final class TokenStore: Sendable {
  private let tokens: Mutex<Tokens>

  package init(_ tokens: Tokens) {
    self.tokens = Mutex(tokens)
  }

  var current: Tokens { tokens.withLock { $0 } }

  func replace(_ new: Tokens) { tokens.withLock { $0 = new } }
}
