import Testing

@testable import CounterApp

@Suite("The memory budget")
struct MemoryBudgetTests {
  private static let mebibyte = 1 << 20

  @Test("of 64 MiB gives two event loops 203 connections and 2.25 MiB each")
  func example() {
    let budget = MemoryBudget(limit: 64 << 20, loops: 2, redisMemory: nil)
    #expect(budget.connections == 203)
    #expect(budget.bufferedBytes == 9 << 18)
    #expect(!budget.isTooSmall)
  }

  @Test(
    "is not exceeded by the worst clients: program, waiting visits, buffers and connections fit",
    arguments: [64, 96, 128, 256, 512, 4096, 1 << 20], [false, true])
  func worstCase(mebibytes: Int, runsRedis: Bool) {
    let limit = mebibytes << 20
    for processors in [1, 2, 8, 1000] {
      let loops = MemoryBudget.mostLoops(processors, in: limit)
      let redisMemory = MemoryBudget.redisMemory(counters: 100_000, in: limit)
      let budget = MemoryBudget(
        limit: limit, loops: loops, redisMemory: runsRedis ? redisMemory : nil)
      guard !budget.isTooSmall else {
        #expect(runsRedis && mebibytes <= 128 || loops > 1)
        continue
      }
      // 16 MiB for the program, 1 MiB, 8 MiB of waiting visits and 6 MiB of names and images a loop; for
      // Redis 8 MiB, its data, and a third of them.
      let fixed = (16 + loops * 15) << 20 + (runsRedis ? 8 << 20 + redisMemory / 3 * 4 : 0)
      let clients = budget.connections * 69_632 + loops * budget.bufferedBytes
      #expect(fixed + clients <= limit)
      #expect(budget.connections >= loops)
    }
  }

  @Test("that is too small says so, and still lets some clients in")
  func tooSmall() {
    let budget = MemoryBudget(limit: 16 << 20, loops: 4, redisMemory: 16 << 20)
    #expect(budget.isTooSmall)
    #expect(budget.connections >= 4)
    #expect(budget.bufferedBytes > 0)
  }

  @Test("gives a private Redis 1 KiB a counter, and a quarter of a small limit")
  func redisMemory() {
    #expect(MemoryBudget.redisMemory(counters: 1024, in: nil) == 17 << 20)
    #expect(MemoryBudget.redisMemory(counters: 1024, in: 1 << 30) == 17 << 20)
    #expect(MemoryBudget.redisMemory(counters: 100_000, in: 128 << 20) == 32 << 20)
    #expect(MemoryBudget.redisMemory(counters: 100_000, in: 32 << 20) == 16 << 20)
  }

  @Test("allows one event loop for each 32 MiB, and at least one")
  func loops() {
    #expect(MemoryBudget.mostLoops(8, in: nil) == 8)
    #expect(MemoryBudget.mostLoops(8, in: 64 << 20) == 2)
    #expect(MemoryBudget.mostLoops(1, in: 64 << 20) == 1)
    #expect(MemoryBudget.mostLoops(8, in: 16 << 20) == 1)
  }

  @Test("sets the defaults of the configuration, which flags beat")
  func configuration() throws {
    let machine = Machine(processors: 8, memoryLimit: 64 << 20)
    let derived = try configure(["REDIS_URL": "redis://h"], on: machine)
    #expect(derived.threads == 2)
    #expect(derived.bufferedBytes == 9 << 18)
    let connections = try OpenFiles(limit: 1 << 20)
      .connections(derived.maxConnections, in: derived.memoryBudget, loops: derived.threads)
    #expect(connections == 203)

    let flags = ["memory-limit": "256", "threads": "4", "max-connections": "9000"]
    let given = try configure(["REDIS_URL": "redis://h"], flags: flags, on: machine)
    #expect(given.memoryLimit == 256 << 20)
    #expect(given.threads == 4)
    let more = try OpenFiles(limit: 1 << 20)
      .connections(given.maxConnections, in: given.memoryBudget, loops: given.threads)
    #expect(more == 9000)
  }

  @Test("does not raise the connections over what the limit of open files allows")
  func openFiles() throws {
    let budget = MemoryBudget(limit: 1 << 40, loops: 2, redisMemory: nil)
    #expect(try OpenFiles(limit: 1024).connections(nil, in: budget, loops: 2) == 1024 - 48)
  }

  @Test("leaves the program without a limit when there is none")
  func unlimited() throws {
    let configuration = try configure()
    #expect(configuration.memoryBudget == nil)
    #expect(configuration.bufferedBytes == 64 << 20)
  }
}
