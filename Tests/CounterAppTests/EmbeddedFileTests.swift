import Testing

@testable import CounterApp

@Suite("A script of the program's own")
struct EmbeddedFileTests {
  @Test("is sent without comments, indentation and empty lines")
  func comments() {
    let program = """
      // What it does.
      (() => {

        // A step.
        const address = "http://a.example"; // stays
        step();
      })();
      """
    let sent = EmbeddedFile.withoutComments(Array(program.utf8))
    #expect(
      String(decoding: sent, as: UTF8.self)
        == "(() => {\nconst address = \"http://a.example\"; // stays\nstep();\n})();\n")
  }
}
