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
  private let ended: Wakeup
  private let queue = Mutex(Queue())

  /// How many lines were dropped.
  package let dropped = RelaxedCounter()

  private struct Queue: ~Copyable {
    var bytes = UniqueArray<UInt8>()
    var lines = 0
    var isEnding = false
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
    ended = try Wakeup()
    let poller = try Poller()
    try poller.add(filled.descriptor, .read, Token(owner: 0))
    let thread = try Thread(name: "line writer") { [self] in run(poller) }
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

  /// Ends the thread once everything that was taken is written.
  package func end() {
    queue.withLock { $0.isEnding = true }
    filled.ring()
  }

  /// Readable when the thread has ended.
  package var endedDescriptor: CInt { ended.descriptor }

  /// Ends the thread, and waits until everything is written, but no longer than until a deadline.
  package func finish(by deadline: Instant) {
    end()
    guard let poller = try? Poller() else { return }
    var events = Events()
    guard (try? poller.add(ended.descriptor, .read, Token(owner: 0))) != nil else { return }
    _ = try? poller.waitForEvent(until: deadline, &events)
  }

  private func run(_ poller: Poller) {
    var bytes = UniqueArray<UInt8>()
    var events = Events()
    while true {
      let (lines, isEnding) = queue.withLock { queue in
        defer { queue.lines = 0 }
        swap(&queue.bytes, &bytes)
        return (queue.lines, queue.isEnding)
      }
      if lines > 0 {
        if !writeAll(bytes.span) { drop(lines) }
        bytes.removeAll(keepingCapacity: true)
      } else if isEnding {
        ended.ring()
        return
      } else if (try? poller.wait(from: .now, until: .never, &events)) != nil {
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
        waitUntilWritable()
      } else if errno != EINTR {
        return false
      }
    }
    return true
  }

  /// A process that shares the descriptor may have made it non-blocking.
  private func waitUntilWritable() {
    var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    // Sound: the kernel reads and fills in the one value.
    unsafe poll(&request, 1, 1000)
  }
}
