import BasicContainers
import Counting
import HTTP
import System

/// An image of a counter whose number is not known yet.
struct PendingImage: ~Copyable {
  let exchange: Exchange
  let kind: ImageKind
  let isHit: Bool
  var options = ImageOptions()

  init(_ exchange: Exchange, _ kind: ImageKind, isHit: Bool) {
    self.exchange = exchange
    self.kind = kind
    self.isHit = isHit
  }
}

/// The images of a loop that wait for their numbers, each under an index of its own.
///
/// Image proxies give up after four seconds, and show nothing then. So an image waits three seconds at most,
/// even where visits may wait longer. When its time is over it is taken out, and its index stays in use until the
/// outcome of its visit has come.
struct PendingImages: ~Copyable {
  private var slots = UniqueArray<Slot>()
  private var free = UniqueArray<Int>()
  private var textSize = 0
  private var waitingCount = 0

  /// When the images are looked through for those whose time is over.
  private(set) var deadline = Instant.never

  /// How many slots the present look has gone through.
  private var lookedAt = 0

  struct Slot: ~Copyable {
    var image: PendingImage?
    var deadline: Instant
  }

  /// How many images may wait, or be late, in an event loop.
  static var mostImages: Int { 8192 }

  /// How many bytes of labels and logos may wait in an event loop.
  static var mostTextBytes: Int { 1 << 20 }

  /// How long an image may wait for its number.
  private static var timeout: Interval { .seconds(3) }

  /// How often the images are looked through.
  private static var lookInterval: Interval { .milliseconds(250) }

  /// Whether another image may wait.
  func hasRoom(for image: borrowing PendingImage) -> Bool {
    slots.count - free.count < Self.mostImages
      && textSize + image.options.size <= Self.mostTextBytes
  }

  /// Keeps an image for which there is room.
  ///
  /// - Returns: its index.
  mutating func insert(_ image: consuming PendingImage, _ now: Instant) -> Int {
    textSize += image.options.size
    waitingCount += 1
    if deadline == .never { deadline = now + Self.lookInterval }
    let slot = Slot(image: image, deadline: now + Self.timeout)
    guard let index = free.popLast() else {
      slots.append(slot)
      return slots.count - 1
    }
    slots[index] = slot
    return index
  }

  /// Gives up an index, because the outcome of its visit is known.
  ///
  /// - Returns: the image, unless its time was over before.
  mutating func remove(_ index: Int) -> PendingImage? {
    free.append(index)
    return take(index)
  }

  /// Takes out the next image whose time is over.
  mutating func removeExpired(_ now: Instant) -> PendingImage? {
    guard now >= deadline else { return nil }
    while lookedAt < slots.count {
      lookedAt += 1
      if slots[lookedAt - 1].deadline <= now, let image = take(lookedAt - 1) { return image }
    }
    lookedAt = 0
    deadline = waitingCount == 0 ? .never : now + Self.lookInterval
    return nil
  }

  private mutating func take(_ index: Int) -> PendingImage? {
    slots[index].deadline = .never
    guard let image = slots[index].image.take() else { return nil }
    textSize -= image.options.size
    waitingCount -= 1
    return image
  }
}
