package import System
package import BasicContainers
import CLinux
import Glibc
import Synchronization
package import Telemetry

/// Writes lines to a descriptor on a thread of its own, so that a slow reader delays no other thread.
/// Lines that do not fit into the queue are dropped and counted.
///
/// The descriptor may be a file, a pipe or a terminal. Its mode is not changed, because other
/// processes may share it.
package final class LineWriter: Sendable {
  private let descriptor: CInt
  private let capacity: Int
  private let filled: Wakeup
  private let queue = Mutex(Queue())

  /// How many lines were dropped.
  package let dropped = RelaxedCounter()

  private struct Queue: ~Copyable {
    var bytes = UniqueArray<UInt8>()
    var lines = 0
    /// Rung once everything is written; nil until the writer is told to end.
    var ending: Wakeup?
    var isEnded = false
  }

  /// Starts the thread.
  ///
  /// - Parameters:
  ///   - descriptor: stays open for as long as the program runs.
  ///   - capacity: how many bytes may wait.
  package init(to descriptor: CInt, capacity: Int = 1 << 20) throws(SystemError) {
    self.descriptor = descriptor
    self.capacity = capacity
    filled = try Wakeup()
    let thread = try Thread(name: "line writer") { [self] in run() }
    thread.detach()
  }

  /// Takes whole lines and leaves none. Any thread may call it.
  package func write(_ bytes: inout UniqueArray<UInt8>, lines: Int) {
    queue.withLock { queue in
      guard queue.bytes.count + bytes.count <= capacity else {
        dropped.add(lines)
        return
      }
      if queue.lines == 0 { filled.ring() }
      queue.bytes.append(copying: bytes.span)
      queue.lines += lines
    }
    bytes.removeAll(keepingCapacity: true)
  }

  /// Takes a whole line. Any thread may call it.
  package func write(_ line: String) {
    var bytes = UniqueArray(copying: line.utf8)
    write(&bytes, lines: 1)
  }

  /// Counts lines that could not be made.
  package func drop(_ lines: Int) {
    // Under the lock, because only one thread at a time may add.
    queue.withLock { _ in dropped.add(lines) }
  }

  /// Ends the thread once everything that was taken is written, and rings then.
  package func end(ringing wakeup: Wakeup) {
    queue.withLock { $0.ending = wakeup }
    filled.ring()
  }

  /// Whether the thread has ended.
  package var isEnded: Bool { queue.withLock { $0.isEnded } }

  private func run() {
    var bytes = UniqueArray<UInt8>()
    while true {
      let (lines, ending) = queue.withLock { queue in
        defer { queue.lines = 0 }
        swap(&queue.bytes, &bytes)
        return (queue.lines, queue.ending)
      }
      if lines > 0 {
        if !writeAll(bytes.span) { drop(lines) }
        bytes.removeAll(keepingCapacity: true)
      } else if let ending {
        queue.withLock { $0.isEnded = true }
        ending.ring()
        return
      } else if (try? waitForEvent(.read, on: filled.descriptor, until: .never)) != nil {
        filled.reset()
      }
    }
  }

  /// - Returns: whether all bytes were written; after an error the rest is not.
  private func writeAll(_ bytes: borrowing Span<UInt8>) -> Bool {
    var written = 0
    while written < bytes.count {
      // Sound: the kernel only reads the span's own bytes, during the call.
      let count = unsafe bytes.extracting(written...).withUnsafeBufferPointer { buffer in
        unsafe CLinux.write(descriptor, buffer.baseAddress, buffer.count)
      }
      if count >= 0 {
        written += count
      } else if errno == EAGAIN {
        // A process that shares the descriptor may have made it non-blocking.
        _ = try? waitForEvent(.write, on: descriptor, until: .now + .seconds(1))
      } else if errno != EINTR {
        return false
      }
    }
    return true
  }
}
