import BasicContainers
import CLinux
import System

/// A head of responses that follow each other closely, most of them with bodies of the same size.
///
/// The header of the last one is kept, and copied as long as its length and its date hold. It saves
/// 100 instructions a response.
package struct RepeatedHead: ~Copyable {
  package let head: ResponseHead

  /// The whole header of a response on a connection that stays open.
  private(set) var header = ByteBuffer()
  private var bodyCount = -1
  private var seconds: time_t = 0

  package init(_ head: consuming ResponseHead) {
    self.head = head
  }

  /// Makes the header that of a response now.
  @inline(__always)
  mutating func update(bodyCount: Int, date: borrowing DateField) {
    guard bodyCount != self.bodyCount || date.seconds != seconds else { return }
    render(bodyCount, date)
  }

  @inline(never)
  private mutating func render(_ bodyCount: Int, _ date: borrowing DateField) {
    self.bodyCount = bodyCount
    seconds = date.seconds
    header.removeAll(keepingCapacity: true)
    header.append(addingCount: head.longest(bodyCount: 0)) { output in
      head.write(to: &output, bodyCount: bodyCount, date: date, .implied)
    }
  }
}
