import BasicContainers
import System

/// Asks a web server, and waits for its answer until a deadline: for looking at a running counter,
/// a few requests each on a connection of its own.
struct WebClient: ~Copyable {
  private let deadline: Instant
  private let poller: Poller
  private var events = Events()

  /// Why there is no answer.
  enum Failure: Error, Equatable, CustomStringConvertible {
    case unknownHost(String)
    case unreachable(SystemError)
    case system(SystemError)
    case timedOut
    case cutShort
    case tooLong
    case notUnderstood

    /// The reason, for people.
    var description: String {
      switch self {
      case .unknownHost(let reason): "unknown host: \(reason)"
      case .unreachable(let error): error.reason
      case .system(let error): error.description
      case .timedOut: "no answer in time"
      case .cutShort: "closed the connection before its answer was whole"
      case .tooLong: "its answer is longer than any of a counter's"
      case .notUnderstood: "its answer is none of a counter's"
      }
    }
  }

  /// No answer that a counter gives is as long as this, in bytes.
  private static var longestAnswer: Int { 1 << 16 }

  /// - Parameter limit: how long all requests together may take.
  init(limit: Interval) throws(Failure) {
    deadline = .now + limit
    do throws(SystemError) {
      poller = try Poller()
    } catch {
      throw .system(error)
    }
  }

  /// Asks for a path.
  mutating func get(_ path: String, from address: WebAddress) throws(Failure) -> WebAnswer {
    let socket = try connect(to: address)
    let request =
      "GET \(path) HTTP/1.1\r\nHost: \(address)\r\nUser-Agent: counter\r\nConnection: close\r\n\r\n"
    try send(Array(request.utf8), on: socket)
    return try receive(from: socket)
  }

  private mutating func send(
    _ bytes: [UInt8], on socket: borrowing Descriptor
  ) throws(Failure) {
    var sent = 0
    while sent < bytes.count {
      do throws(SystemError) {
        sent += try socket.send(bytes.span.extracting(sent...)) ?? 0
      } catch {
        throw .system(error)
      }
      if sent < bytes.count { try wait(for: .write, on: socket.number) }
    }
  }

  private mutating func receive(from socket: borrowing Descriptor) throws(Failure) -> WebAnswer {
    var received: [UInt8] = []
    while received.count < Self.longestAnswer {
      try wait(for: .read, on: socket.number)
      let count = try receive(from: socket, into: &received)
      if let answer = try WebAnswer(received, isAll: count == 0) { return answer }
    }
    throw .tooLong
  }

  /// - Returns: how many bytes came; 0 at the end of the stream; nil when none were there after all.
  private func receive(
    from socket: borrowing Descriptor, into received: inout [UInt8]
  ) throws(Failure) -> Int? {
    var piece = UniqueArray<UInt8>()
    var count: Int?
    do throws(SystemError) {
      try piece.append(addingCount: 4096) { output throws(SystemError) in
        count = try socket.receive(into: &output)
      }
    } catch {
      throw .system(error)
    }
    for index in 0..<piece.count { received.append(piece[index]) }
    return count
  }

  /// Waits until something is seen on a descriptor.
  mutating func wait(for interest: Readiness, on descriptor: CInt) throws(Failure) {
    do throws(SystemError) {
      try poller.add(descriptor, interest, Token(owner: 0))
      defer { poller.remove(descriptor) }
      repeat {
        try poller.wait(from: .now, until: deadline, &events)
      } while events.count == 0 && Instant.now < deadline
    } catch {
      throw .system(error)
    }
    guard events.count > 0 else { throw .timedOut }
  }
}
