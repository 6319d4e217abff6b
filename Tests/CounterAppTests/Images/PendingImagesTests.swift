import HTTP
import System
import Testing

@testable import CounterApp

@Suite("The images that wait for their numbers")
struct PendingImagesTests {
  private func image(label: String = "home") throws -> PendingImage {
    var image = PendingImage(Exchange(ticket: 7), .badge, isHit: true)
    try image.options.set(.label, Array(label.utf8).span, of: .badge)
    return image
  }

  @Test("are 8,192 at most")
  func count() throws {
    var images = PendingImages()
    let now = Instant.now
    for _ in 0..<8192 { _ = images.insert(try image(), now) }
    let isFull = !images.hasRoom(for: try image())
    let removed = images.remove(17) != nil
    let hasRoom = images.hasRoom(for: try image())
    let index = images.insert(try image(), now)
    #expect(isFull && removed && hasRoom && index == 17)
  }

  @Test("take 128 bytes each, and 1 MiB of texts at most")
  func size() throws {
    #expect(MemoryLayout<PendingImage?>.stride <= 120)
    var images = PendingImages()
    let now = Instant.now
    let logo = "data:image/svg+xml;base64,PHN2" + String(repeating: "A", count: 8160)
    var count = 0
    while count < 200 {
      var image = try image()
      try image.options.set(.logo, Array(logo.utf8).span, of: .badge)
      guard images.hasRoom(for: image) else { break }
      _ = images.insert(image, now)
      count += 1
    }
    #expect((64...128).contains(count))
    let removed = images.remove(0) != nil
    let hasRoom = images.hasRoom(for: try image())
    #expect(removed && hasRoom)
  }

  @Test("are taken out after three seconds, and their index is kept until the outcome comes")
  func expiry() throws {
    var images = PendingImages()
    let start = Instant.now
    let before = images.deadline
    #expect(before == .never)
    let first = images.insert(try image(label: "first"), start)
    let second = images.insert(try image(label: "second"), start + .seconds(1))
    let deadline = images.deadline
    #expect(deadline <= start + .milliseconds(250))
    let early = images.removeExpired(start + .milliseconds(2999)) == nil
    var label = ""
    if let expired = images.removeExpired(start + .milliseconds(3250)) {
      label = String(copying: expired.options.label)
    }
    let none = images.removeExpired(start + .milliseconds(3250)) == nil
    #expect(early && label == "first" && none)
    // Another image gets another index while the visit of the first one is under way.
    let third = images.insert(try image(label: "third"), start + .seconds(3))
    #expect(third != first && third != second)
    let late = images.remove(first) == nil
    let again = images.insert(try image(), start + .seconds(3))
    #expect(late && again == first)
    for index in [second, third, again] { _ = images.remove(index) }
    let last = images.removeExpired(start + .seconds(9)) == nil
    let after = images.deadline
    #expect(last && after == .never)
  }
}
