import DequeModule
import Redis
import System

/// A part of the list of a namespace's counters.
package struct ListPage: Sendable {
  /// The ticket that the page was asked for with.
  package let ticket: UInt128

  /// Keys and numbers of counters, in no order; nil when Redis did not return them in time.
  package let counters: [(key: String, number: Int64)]?

  /// Where the next page begins; 0 after the last one.
  package let cursor: UInt64
}

/// The pages that wait, and the one in flight. A page is one command of its own between two batches, so
/// that it holds up no more than one of them.
struct ListQueue: ~Copyable {
  private var waiting = RigidDeque<Request>(capacity: Limits.waitingPages)

  /// Whether the first page that waits was sent on the present connection.
  private(set) var isInFlight = false

  /// Whether the last command was a page: the next one is a batch, if one waits.
  private(set) var hadTurn = false

  /// A page that is asked for.
  struct Request {
    let ticket: UInt128
    let deadline: Instant
    let namespace: String
    fileprivate(set) var cursor: UInt64
  }

  var isEmpty: Bool { waiting.isEmpty }

  /// The deadline of the first page that waits. The one in flight ends with its reply or its connection.
  var deadline: Instant { waiting.isEmpty ? .never : waiting[0].deadline }

  /// - Returns: false when as many pages wait as may.
  mutating func append(_ request: Request) -> Bool {
    guard waiting.count < Limits.waitingPages else { return false }
    waiting.append(request)
    return true
  }

  /// The command of the next page, which is in flight from now on.
  mutating func send() -> Command {
    isInFlight = true
    hadTurn = true
    let request = waiting[0]
    return Command([
      "EVAL", ListScript.text, "0", String(request.cursor), "{*}:\(request.namespace)/*",
      "\(request.namespace)/",
    ])
  }

  /// On a Redis Cluster a list is read bucket by bucket, and a cursor is sixteen times that of SCAN, and the
  /// bucket. This is the bucket of the first page.
  var bucket: Int { waiting.isEmpty ? 0 : Int(waiting[0].cursor % Self.buckets) }

  private static var buckets: UInt64 { UInt64(CounterName.buckets) }

  /// The command of the next page on a Redis Cluster, which is in flight from now on.
  ///
  /// While the slot moves, some of its keys are at another node, which SCAN does not tell. The second key does
  /// not exist, for a counter's name holds a slash: a node that a slot is moving from refuses the command for
  /// it (ASK, TRYAGAIN), and one that it is moving to sends it away (MOVED).
  mutating func sendToBucket() -> Command {
    isInFlight = true
    let (request, bucket) = (waiting[0], bucket)
    return Command([
      "EVAL", ListScript.text, "2", Claim.sizeKey(ofBucket: bucket), "{\(bucket)}:absent",
      String(request.cursor / Self.buckets), "{\(bucket)}:\(request.namespace)/*",
      "\(request.namespace)/",
    ])
  }

  /// The page that a reply of a node brings; nil when it is empty, and the list goes on.
  mutating func handleReplyOfBucket(_ reply: borrowing Reply) -> ListPage? {
    let bucket = UInt64(bucket)
    isInFlight = false
    var page = reply.error == nil ? Self.parse(reply.text) : nil
    if let cursor = page?.cursor {
      let next = bucket + 1 == Self.buckets ? 0 : bucket + 1
      let (product, isTooLarge) = cursor.multipliedReportingOverflow(by: Self.buckets)
      page?.cursor = cursor == 0 ? next : product + bucket
      if isTooLarge { page = nil }
    }
    if let page, page.counters.isEmpty, page.cursor != 0 {
      waiting[0].cursor = page.cursor
      return nil
    }
    let request = waiting.removeFirst()
    return ListPage(ticket: request.ticket, counters: page?.counters, cursor: page?.cursor ?? 0)
  }

  /// Notes that a batch was sent.
  mutating func passTurn() { hadTurn = false }

  /// Notes that the connection was lost: the page is sent again.
  mutating func noticeLoss() { isInFlight = false }

  /// The page that a reply brings; without counters when Redis refused it.
  mutating func handleReply(_ reply: borrowing Reply) -> ListPage {
    isInFlight = false
    let request = waiting.removeFirst()
    let page = reply.error == nil ? Self.parse(reply.text) : nil
    return ListPage(ticket: request.ticket, counters: page?.counters, cursor: page?.cursor ?? 0)
  }

  /// The first page whose time is over, without counters. A page in flight waits for its reply or the
  /// end of its connection.
  mutating func removeExpired(_ now: Instant) -> ListPage? {
    guard !isInFlight, deadline <= now else { return nil }
    return ListPage(ticket: waiting.removeFirst().ticket, counters: nil, cursor: 0)
  }

  /// Reads lines: the cursor, then a number and a key on each.
  private static func parse(
    _ text: String
  ) -> (counters: [(key: String, number: Int64)], cursor: UInt64)? {
    // By bytes: a key may begin with a combining character, which would be one Character with the blank.
    let lines = text.utf8.split(separator: UInt8(ascii: "\n"))
    guard let first = lines.first, let cursor = UInt64(Substring(first)) else { return nil }
    var counters: [(key: String, number: Int64)] = []
    for line in lines.dropFirst() {
      let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 1)
      guard parts.count == 2, let number = integer(Substring(parts[0])) else { continue }
      counters.append((String(Substring(parts[1])), number))
    }
    return (counters, cursor)
  }

  /// The number of a counter, by the rules of INCRBY; nil for a value that a hit would refuse.
  private static func integer(_ text: Substring) -> Int64? {
    guard let number = Int64(text), String(number) == text else { return nil }
    return number
  }
}

/// The Lua script that reads a page of a list.
///
/// ARGV: a cursor of SCAN, the pattern of the keys, and what stands before the key in a counter's name.
/// It looks at some 500 keys at a time until it has found some counters, ten times at most, and returns
/// lines: the next cursor, then a number and a key on each. Keys hold no control characters. Counters that
/// hold no integer are left out, as removed ones are; integers of more than 64 bits by the reader.
enum ListScript {
  static let text = """
    local cursor, lines = ARGV[1], {}
    for _ = 1, 10 do
      local page = redis.call('SCAN', cursor, 'MATCH', ARGV[2], 'COUNT', 500)
      cursor = page[1]
      for _, key in ipairs(page[2]) do
        local name = string.match(key, '^{%d+}:(.*)$')
        if name and string.sub(name, 1, #ARGV[3]) == ARGV[3] then
          local value = redis.pcall('GET', key)
          if type(value) == 'string' and string.find(value, '^%-?%d+$') and #value < 21 then
            lines[#lines + 1] = value .. ' ' .. string.sub(name, #ARGV[3] + 1)
          end
        end
      end
      if cursor == '0' or #lines > 0 then break end
    end
    return cursor .. '\\n' .. table.concat(lines, '\\n')
    """
}
