import BasicContainers
public import EventLoop

extension Server {
  /// What a server has done so far: written by its loop alone, to be read by anybody.
  public final class Figures: Sendable {
    /// Connections that were accepted, and those of them that were closed again.
    public let accepted = RunningTotal()
    /// See `accepted`.
    public let closed = RunningTotal()

    /// Bytes that came from clients, and bytes that went to them.
    public let received = RunningTotal()
    /// See `received`.
    public let sent = RunningTotal()

    /// By status code.
    private let answers: UniqueArray<RunningTotal>

    /// Nothing so far.
    public init() {
      var answers = UniqueArray<RunningTotal>(minimumCapacity: 600)
      while answers.count < 600 { answers.append(RunningTotal()) }
      self.answers = answers
    }

    /// How many requests were answered with a status.
    public func answers(_ status: Status) -> UInt64 { answers[status.rawValue].current }

    @inline(__always)
    func countAnswer(_ code: Int) {
      answers[code].add(1)
    }
  }
}
