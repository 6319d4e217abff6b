import BasicContainers
package import System

/// A command as it is sent: an array of bulk strings (RESP,
/// https://redis.io/docs/latest/develop/reference/protocol-spec/), with commands that are pipelined
/// behind it.
///
/// It is built here and not by hiredis, so that a part that is sent again and again is built once.
package struct Command: ~Copyable, Sendable {
  private(set) var bytes = UniqueArray<UInt8>(minimumCapacity: 320)

  /// How many commands are pipelined behind it.
  package private(set) var pipelinedCount = 0

  /// How long Redis may take for the last pipelined command; nil unless the program gets its reply.
  package private(set) var confirmationTime: Interval?

  /// How many commands can be pipelined behind another.
  package static var mostPipelined: Int { 511 }

  /// Starts a command of that many arguments, its name among them.
  package init(argumentCount: Int) {
    appendLine("*", Int64(argumentCount))
  }

  /// A command of these arguments, the first of them its name.
  package init(_ arguments: [String]) {
    self.init(argumentCount: arguments.count)
    for argument in arguments { append(argument) }
  }

  /// Starts a command with a copy of all that another one holds.
  package init(startingLike other: borrowing Command) {
    bytes.append(copying: other.bytes.span)
    pipelinedCount = other.pipelinedCount
  }

  /// Pipelines another command, with those that are pipelined behind it: Redis executes them in this
  /// order. The program does not get their replies; an error among them ends the connection.
  package mutating func pipeline(_ other: borrowing Command) {
    precondition(confirmationTime == nil, "a confirmation is the last command")
    pipelinedCount += 1 + other.pipelinedCount
    precondition(pipelinedCount <= Self.mostPipelined, "too many commands are pipelined")
    bytes.append(copying: other.bytes.span)
  }

  /// Pipelines a last command. The program gets its reply as well, after that to the first command.
  ///
  /// - Parameter time: how long Redis may take for it.
  package mutating func pipelineConfirmation(_ other: borrowing Command, within time: Interval) {
    pipeline(other)
    confirmationTime = time
  }

  /// Adds an argument.
  ///
  /// - Precondition: nothing is pipelined yet.
  package mutating func append(_ text: String) {
    precondition(pipelinedCount == 0)
    var text = text
    text.withUTF8 { utf8 in
      appendLine("$", Int64(utf8.count))
      // Sound: the buffer is the text's own, and lives as long as this closure.
      unsafe bytes.append(copying: utf8)
    }
    endLine()
  }

  /// Adds an argument of any bytes.
  ///
  /// - Precondition: nothing is pipelined yet.
  package mutating func append(bytes argument: Span<UInt8>) {
    precondition(pipelinedCount == 0)
    appendLine("$", Int64(argument.count))
    bytes.append(copying: argument)
    endLine()
  }

  /// Adds a number as an argument, in decimal digits.
  ///
  /// - Precondition: nothing is pipelined yet.
  package mutating func append(_ number: Int64) {
    precondition(pipelinedCount == 0)
    appendLine("$", Int64(Decimal.width(of: number)))
    bytes.append(decimal: number)
    endLine()
  }

  private mutating func appendLine(_ kind: Unicode.Scalar, _ number: Int64) {
    bytes.append(UInt8(truncatingIfNeeded: kind.value))
    bytes.append(decimal: number)
    endLine()
  }

  private mutating func endLine() {
    bytes.append(0x0D)
    bytes.append(0x0A)
  }
}
