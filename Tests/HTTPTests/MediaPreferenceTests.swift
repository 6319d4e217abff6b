import Testing

@testable import HTTP

@Suite("The preference of a media type")
struct MediaPreferenceTests {
  private func isText(_ accept: String) -> Bool {
    // Other fields stand around the value.
    let bytes = Array("Accept:\(accept)\r\nReferer: a, text/plain; q=1, b\r\n".utf8)
    return MediaPreference.isText(bytes.span, 7..<7 + accept.utf8.count)
  }

  @Test(
    "is text when the field ranks it above JSON",
    arguments: [
      "text/plain", " text/plain ", "TEXT/Plain", "text/*", "text/plain;charset=utf-8",
      "\ttext/*\t",
      "text/plain, application/json;q=0.9", "application/json;q=0.899, text/plain;q=0.9",
      "text/*;q=0.5, application/*;q=0.4", "text/plain, */*;q=0.1", "*/*;q=0.1,text/plain",
      "text/plain ; q=0.5 , */* ; q=0.4", "application/json;q=0, */*", "application/*;q=0,*/*",
      "text/*;q=0, text/plain;q=0.1, application/json;q=0", "text/plain;q=0.5;level=1,*/*;q=0.4",
      "text/plain;q=0;q=1", "text/plain;Q=1.0, application/json;q=0.999", ",,text/plain,,",
      "image/webp,text/plain",
    ])
  func text(_ accept: String) { #expect(isText(accept)) }

  @Test(
    "is JSON otherwise",
    arguments: [
      "", " ", "*/*", " */* ", "*/*;q=0.5", "application/json", "text/html", "text/plainer",
      "text/plai", "text", "text/", "x/*", "text/plain;q=0", "text/plain;q=0.000",
      "text/plain, application/json", "text/plain;q=0.5, application/json;q=0.5", "text/plain, */*",
      "text/*, */*;q=1", "text/plain;q=0.1, */*;q=0.2", "text/*, text/plain;q=0",
      "text/*;q=0.9, application/json", ",", ",;,", ";q=1", "text /plain", "text/html,text/css;q=1",
      "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
      "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
    ])
  func json(_ accept: String) { #expect(!isText(accept)) }
}
