import Foundation
import Glibc

/// How much the tests of this target do: the short form is part of `make test`, the full one is
/// `make reliability`.
enum Scale {
  static let isFull = ProcessInfo.processInfo.environment["RELIABILITY"] == "full"

  static func choose<Value>(short: Value, full: Value) -> Value { isFull ? full : short }

  /// Lets the suite have as many sockets as the kernel allows; some systems begin with 1024.
  static let raiseOpenFiles: Void = {
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    unsafe getrlimit(resource, &limit)
    limit.rlim_cur = limit.rlim_max
    unsafe setrlimit(resource, &limit)
  }()
}

/// The figures, a line each, in Markdown on standard output.
enum Report {
  private static let header: Void = {
    write("what happens", "what is promised", "what was seen")
    write("---", "---", "---")
  }()

  static func add(_ what: String, _ promise: String, _ figure: String) {
    header
    write(what, promise, figure)
  }

  private static func write(_ cells: String...) {
    FileHandle.standardOutput.write(Data("| \(cells.joined(separator: " | ")) |\n".utf8))
  }
}

extension Double {
  /// With so many digits after the point.
  func text(_ digits: Int = 1) -> String { String(format: "%.\(digits)f", self) }
}

extension Duration {
  var seconds: Double { self / .seconds(1) }
  var milliseconds: Double { self / .milliseconds(1) }
}
