/// How a limit of memory is divided, so that no clients can have the program killed for it.
///
/// Some memory is needed whatever clients do: by the program, by each event loop, by the visits
/// that may wait in each, and by a private redis-server in the same control group. The rest is for
/// clients. Three quarters of it are for what the kernel keeps for each open connection, and one
/// quarter is for what the event loops keep: unfinished requests, responses that clients do not read, and
/// lines of the access log that wait for their responses. With 64 MiB, two event loops and a Redis elsewhere, that is
/// `64 - 16 - 2 * (1 + 8 + 6) = 18` MiB for clients: 203 connections, and 2.25 MiB a loop.
struct MemoryBudget: Equatable, Sendable {
  /// The whole, in bytes.
  let limit: Int
  /// How many event loops there are.
  let loops: Int
  /// The `maxmemory` of a private redis-server that lives from the same limit, in bytes; nil without one.
  let redisMemory: Int?

  private static var mebibyte: Int { 1 << 20 }

  /// The program itself: code, heap, two queues of log lines.
  private static var program: Int { 16 * mebibyte }

  /// An event loop: its stack, its shared buffers, its part of the heap.
  private static var loop: Int { mebibyte }

  /// The visits that may wait in an event loop: 65,536 of 64 bytes, and as much again while a batch
  /// is made of them.
  private static var waitingVisits: Int { 2 * 65_536 * 64 }

  /// What visits of counters with names need besides in an event loop: 8,192 keys of 250 bytes, 8,192
  /// answers of 250 bytes, 8,192 images of 128 bytes, and 1 MiB of their labels and logos.
  private static var counters: Int { 6 * mebibyte }

  /// A redis-server beside its data, and as much again as a third of them while it rewrites its log.
  private static func redisServer(_ memory: Int) -> Int { 8 * mebibyte + memory / 3 * 4 }

  /// The `maxmemory` of a private redis-server: 16 MiB, and 1 KiB for each counter that there may be. That
  /// is room for a counter with the longest name and an idempotency key of it. A limit of memory leaves it
  /// a quarter, and 16 MiB at least, which is room for 100,000 counters with short names.
  static func redisMemory(counters: Int, in limit: Int?) -> Int {
    let wanted = 16 * mebibyte + counters * 1024
    return limit.map { min(wanted, max(16 * mebibyte, $0 / 4)) } ?? wanted
  }

  /// A connection at its worst: two full buffers in the kernel, and the structures that belong to it
  /// there and in the program.
  private static var connection: Int { 2 * 32_768 + 4096 }

  /// What an event loop may keep for its clients when there is no limit of memory, in bytes.
  static var mostBufferedBytes: Int { 64 * mebibyte }

  /// How many event loops are started unless a number is given: one a processor, but not more than
  /// one for each 32 MiB, and 1,024.
  static func mostLoops(_ processors: Int, in limit: Int?) -> Int {
    let processors = min(processors, 1024)
    guard let limit else { return processors }
    return max(1, min(processors, limit / (32 * mebibyte)))
  }

  /// The memory that is needed whatever clients do, in bytes.
  private var fixed: Int {
    Self.program + loops * (Self.loop + Self.waitingVisits + Self.counters)
      + (redisMemory.map(Self.redisServer) ?? 0)
  }

  /// The memory for clients, in bytes. It is a quarter of a limit that is too small.
  private var clients: Int { max(limit - fixed, limit / 4) }

  /// Whether the limit is too small for the fixed part and some clients.
  var isTooSmall: Bool { limit - fixed < limit / 4 }

  /// How many connections fit, in all event loops together.
  var connections: Int { max(loops, clients / 4 * 3 / Self.connection) }

  /// How many bytes one event loop may keep for its clients.
  var bufferedBytes: Int { min(Self.mostBufferedBytes, clients / 4 / loops) }
}
