import BasicContainers
import System

/// Sends requests to an HTTP server, each on a connection of its own, and waits for the responses
/// until one deadline for all.
struct HTTPClient: ~Copyable {
  private let deadline: Instant
  private let poller: Poller
  private var events = Events()

  /// Why there is no response.
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

  /// Longer than any response of a counter, in bytes.
  private static var longestResponse: Int { 1 << 16 }

  /// - Parameter limit: how long all requests may take together.
  init(limit: Interval) throws(Failure) {
    deadline = .now + limit
    do throws(SystemError) {
      poller = try Poller()
    } catch {
      throw .system(error)
    }
  }

  /// Requests a path.
  mutating func get(_ path: String, from url: HTTPURL) throws(Failure) -> HTTPResponse {
    let socket = try connect(to: url)
    let request =
      "GET \(path) HTTP/1.1\r\nHost: \(url)\r\nUser-Agent: counter\r\nConnection: close\r\n\r\n"
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

  private mutating func receive(from socket: borrowing Descriptor) throws(Failure) -> HTTPResponse {
    var received: [UInt8] = []
    while received.count < Self.longestResponse {
      try wait(for: .read, on: socket.number)
      let count = try receive(from: socket, into: &received)
      if let response = try HTTPResponse(received, isAll: count == 0) { return response }
    }
    throw .tooLong
  }

  /// - Returns: how many bytes arrived; 0 at the end of the stream; nil when there were none yet.
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

  /// Waits until a descriptor is ready.
  mutating func wait(for interest: Readiness, on descriptor: CInt) throws(Failure) {
    let isReady: Bool
    do throws(SystemError) {
      try poller.add(descriptor, interest, Token(owner: 0))
      defer { poller.remove(descriptor) }
      isReady = try poller.waitForEvent(until: deadline, &events)
    } catch {
      throw .system(error)
    }
    guard isReady else { throw .timedOut }
  }
}
