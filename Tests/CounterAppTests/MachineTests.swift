import Testing

@testable import CounterApp

@Suite("The limits of control groups")
struct MachineTests {
  private func groups(_ memberships: String, _ files: [String: String]) -> ControlGroups {
    ControlGroups(memberships) { files[$0] }
  }

  @Test("Processors are limited by the smallest quota between the group and the root")
  func processors() {
    let files = [
      "/sys/fs/cgroup/a/b/cpu.max": "max 100000\n", "/sys/fs/cgroup/a/cpu.max": "150000 100000\n",
      "/sys/fs/cgroup/cpu.max": "800000 100000\n",
    ]
    #expect(groups("0::/a/b\n", files).processors == 2)
    #expect(groups("0::/\n", files).processors == 8)
    #expect(groups("0::/c\n", [:]).processors == nil)
    let unlimited = ["/sys/fs/cgroup/cpu.max": "max 100000\n"]
    #expect(groups("0::/\n", unlimited).processors == nil)
    #expect(groups("0::/\n", ["/sys/fs/cgroup/cpu.max": "1000 100000\n"]).processors == 1)
  }

  @Test("Processors are limited by the first version of control groups as well")
  func processorsOfVersion1() {
    let files = [
      "/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us": "250000\n",
      "/sys/fs/cgroup/cpu/a/cpu.cfs_period_us": "100000\n",
      "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
      "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    ]
    #expect(groups("4:memory:/a\n3:cpu,cpuacct:/a\n", files).processors == 3)
    #expect(groups("3:cpuset:/a\n", files).processors == nil)
  }

  @Test("Memory is limited by the smallest limit between the group and the root")
  func memory() {
    let files = [
      "/sys/fs/cgroup/a/b/memory.max": "max\n", "/sys/fs/cgroup/a/memory.max": "67108864\n",
      "/sys/fs/cgroup/memory.max": "134217728\n",
    ]
    #expect(groups("0::/a/b\n", files).memory == 64 << 20)
    #expect(groups("0::/\n", files).memory == 128 << 20)
    #expect(groups("0::/\n", ["/sys/fs/cgroup/memory.max": "max\n"]).memory == nil)
    #expect(groups("", files).memory == nil)
  }

  @Test("Memory is limited by the first version of control groups as well")
  func memoryOfVersion1() {
    let files = [
      "/sys/fs/cgroup/memory/a/memory.limit_in_bytes": "9223372036854771712\n",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": "67108864\n",
    ]
    #expect(groups("4:memory:/a\n3:cpu,cpuacct:/a\n0::/a\n", files).memory == 64 << 20)
    #expect(groups("3:cpu:/a\n", files).memory == nil)
    let unlimited = ["/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"]
    #expect(groups("4:memory:/a\n", unlimited).memory == nil)
  }

  @Test("This machine has at least one processor")
  func current() {
    #expect(Machine.current.processors >= 1)
  }
}
