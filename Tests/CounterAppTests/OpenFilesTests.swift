import Testing

@testable import CounterApp

@Suite("The limit of open files")
struct OpenFilesTests {
  @Test("leaves room for connections besides what the program needs itself")
  func room() throws {
    #expect(try OpenFiles(limit: 1024).connections(nil, in: nil, loops: 2) == 1024 - 48)
    #expect(try OpenFiles(limit: 1024).connections(976, in: nil, loops: 2) == 976)
    #expect(try OpenFiles(limit: .max).connections(7, in: nil, loops: 7) == 7)
  }

  @Test("refuses more connections than fit, and to serve none")
  func tooMany() {
    let tooMany = #expect(throws: Application.Failure.self) {
      try OpenFiles(limit: 1024).connections(977, in: nil, loops: 2)
    }
    #expect(tooMany?.description.contains("1024") == true)
    #expect(throws: Application.Failure.self) {
      try OpenFiles(limit: 49).connections(nil, in: nil, loops: 2)
    }
  }

  @Test("is shared out evenly, and none is left over", arguments: [2, 3, 7, 100])
  func shares(connections: Int) {
    for loops in 1...min(connections, 7) {
      let shares = (0..<loops).map { OpenFiles.share(ofLoop: $0, of: loops, in: connections) }
      #expect(shares.reduce(0, +) == connections)
      #expect((shares.max() ?? 0) - (shares.min() ?? 0) <= 1)
    }
  }

  @Test("has one connection a loop at least, or the setting is bad")
  func onePerLoop() {
    let error = #expect(throws: SettingError.self) {
      try configure(["THREADS": "4", "MAX_CONNECTIONS": "3"])
    }
    #expect(error?.name == "MAX_CONNECTIONS")
  }
}
