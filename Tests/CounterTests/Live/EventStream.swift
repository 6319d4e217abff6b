import Foundation

@testable import TestSupport

/// A client of a stream, which reads its events one by one.
final class EventStream {
  private let client: HTTPClient
  let head: HTTPResponse

  /// An event, or the comment that stands in its place.
  struct Event: Equatable {
    var id: String?
    var name: String?
    var data: String?
    var retry: String?
    var isComment = false

    var number: Int64? { name == nil && id == data ? data.flatMap(Int64.init) : nil }

    init(_ text: String) throws {
      for line in text.split(separator: "\n") {
        if line.hasPrefix("id: ") {
          id = String(line.dropFirst(4))
        } else if line.hasPrefix("event: ") {
          name = String(line.dropFirst(7))
        } else if line.hasPrefix("data: ") {
          data = String(line.dropFirst(6))
        } else if line.hasPrefix("retry: ") {
          retry = String(line.dropFirst(7))
        } else if line == ":" {
          isComment = true
        } else {
          throw HTTPClient.Malformed(received: text)
        }
      }
    }
  }

  init(
    _ counter: CounterProcess, _ target: String, limit: Duration = .seconds(10), _ fields: String...
  ) throws {
    client = try counter.client(limit: limit)
    let lines = ["GET \(target) HTTP/1.1", "Host: counter.test"] + fields
    try client.send(lines.joined(separator: "\r\n") + "\r\n\r\n")
    head = try client.readResponse(toHead: true)
  }

  /// The next event or comment.
  func next() throws -> Event { try Event(client.read(upTo: "\n\n")) }

  /// The next event that is no comment.
  func nextEvent() throws -> Event {
    for _ in 0..<1000 {
      let event = try next()
      if !event.isComment { return event }
    }
    throw NeverHappened(description: "nothing but comments came")
  }

  /// The number of the next event; nil when it has none.
  func nextNumber() throws -> Int64? { try nextEvent().number }

  /// Reads events until one has a number.
  func read(until number: Int64) throws -> [Int64] {
    var numbers: [Int64] = []
    for _ in 0..<1000 {
      guard let next = try nextNumber() else { continue }
      numbers.append(next)
      if next == number { return numbers }
    }
    throw NeverHappened(description: "\(number) did not come")
  }

  /// All that comes until the end of the connection.
  func readToEnd() throws -> String { try client.readToEnd() }

  /// Whether nothing but comments comes for so long.
  func isQuiet(for time: Duration) throws -> Bool {
    let end = ContinuousClock.now + time
    for _ in 0..<1000 {
      let left = end - ContinuousClock.now
      guard left > .zero, try !client.hearsNothing(for: left) else { return true }
      guard try next().isComment else { return false }
    }
    return false
  }

  func close() { client.socket.end() }
}
