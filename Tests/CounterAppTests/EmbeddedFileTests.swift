import Testing

@testable import CounterApp

@Suite("A script of the program's own")
struct EmbeddedFileTests {
  @Test("is sent without comments, and with spaces between words and in texts only")
  func condensed() {
    let program = """
      // What it does.
      {
        const address = "http://a.example/ b";

        // A step.
        const { kind } = address;
        if (kind) return "a " + `b ${kind ? "c " : ""} d`;
        else
          step(kind, 1)
            .replace(/\\/+$/g, 'e  "f');
      }
      """
    let sent = EmbeddedFile.condensed(Array(program.utf8))
    #expect(
      String(decoding: sent, as: UTF8.self) == """
        {const address="http://a.example/ b";const{kind}=address;\
        if(kind)return"a "+`b ${kind ? "c " : ""} d`;else step(kind,1).replace(/\\/+$/g,'e  "f');}

        """)
  }
}
