import Foundation
import Glibc
import System
import Testing

@testable import CounterApp
@testable import TestSupport

@Suite("The process of a private redis-server")
struct ServerProcessTests {
  /// Starts `sleep 60` under a process descriptor that `watch` opens.
  private func start(watch: (pid_t) -> CInt) throws(SystemError) -> ServerProcess {
    try ServerProcess(
      ["/bin/sleep", "60"], log: STDERR_FILENO, keeping: -1, Poller(), Token(owner: 0),
      watch: watch)
  }

  @Test("is killed and reaped when it cannot be watched, so that none is left on the folder")
  func unwatched() {
    var child: pid_t = 0
    let error = #expect(throws: SystemError.self) {
      try start { id in
        child = id
        errno = EMFILE
        return -1
      }
    }
    #expect(error?.code == EMFILE)
    #expect(child > 0)
    #expect(kill(child, 0) == -1 && errno == ESRCH)
  }

  @Test("is killed and reaped when its end cannot be reported")
  func unreported() {
    var child: pid_t = 0
    #expect(throws: SystemError.self) {
      try start { id in
        child = id
        // A regular file cannot be watched by epoll(7).
        return unsafe open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
      }
    }
    #expect(child > 0)
    #expect(kill(child, 0) == -1 && errno == ESRCH)
  }

  @Test("is reported and reaped once it has ended, and not before")
  func end() throws {
    let poller = try Poller()
    var events = Events()
    let process = try ServerProcess(
      ["/bin/sleep", "60"], log: STDERR_FILENO, keeping: -1, poller, Token(owner: 7))
    #expect(!process.reap())
    process.send(SIGKILL)
    try poller.wait(from: .now, until: .now + .seconds(10), &events)
    #expect(events.count == 1)
    #expect(process.reap())
    #expect(kill(process.id, 0) == -1 && errno == ESRCH)
  }
}

@Suite("The program of a private redis-server")
struct FindProgramTests {
  @Test("is a file that may be run, not a folder and not a file without permission")
  func find() throws {
    try withTemporaryFolder { folder in
      let manager = FileManager.default
      for (name, mode) in [("a", nil), ("b", 0o644), ("c", 0o755), ("d", 0o755)] as [(String, Int?)]
      {
        try manager.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: false)
        let path = "\(folder)/\(name)/program"
        if let mode {
          #expect(
            manager.createFile(
              atPath: path, contents: Data(), attributes: [.posixPermissions: mode]))
        } else {
          try manager.createDirectory(atPath: path, withIntermediateDirectories: false)
        }
      }
      let path = ["a", "b", "c", "d"].map { "\(folder)/\($0)" }.joined(separator: ":")
      #expect(PrivateRedis.find("program", in: path) == "\(folder)/c/program")
      #expect(PrivateRedis.find("program", in: "\(folder)/a:\(folder)/b") == nil)
    }
  }
}

@Suite("The last line of a log")
struct LastLineTests {
  @Test("is the last one that was written after a position, and never an older one")
  func lastLine() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/log"
      try "first\nsecond\n".write(toFile: path, atomically: false, encoding: .utf8)
      #expect(TextFile.lastLine(path, from: 0) == "second")
      #expect(TextFile.lastLine(path, from: try #require(TextFile.size(path))) == nil)
      let long = String(repeating: "x", count: 100_000) + "\nlast\n"
      try long.write(toFile: path, atomically: false, encoding: .utf8)
      #expect(TextFile.lastLine(path, from: 0) == "last")
      #expect(TextFile.lastLine("\(folder)/none", from: 0) == nil)
    }
  }
}
