import BasicContainers

/// A command as it is sent: an array of bulk strings (RESP,
/// https://redis.io/docs/latest/develop/reference/protocol-spec/), with commands that are pipelined
/// behind it.
///
/// It is built here and not by hiredis, so that a part that is sent again and again is built once.
package struct Command: ~Copyable, Sendable {
  private(set) var bytes = UniqueArray<UInt8>(minimumCapacity: 320)

  /// How many commands are pipelined behind it.
  package private(set) var pipelinedCount = 0

  /// How many commands can be pipelined behind another.
  package static var mostPipelined: Int { 255 }

  /// Starts a command of that many arguments, its name among them.
  package init(argumentCount: Int) {
    append(character: "*", number: Int64(argumentCount))
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
    pipelinedCount += 1 + other.pipelinedCount
    precondition(pipelinedCount <= Self.mostPipelined, "too many commands are pipelined")
    bytes.append(copying: other.bytes.span)
  }

  /// Adds an argument.
  ///
  /// - Precondition: nothing is pipelined yet.
  package mutating func append(_ text: String) {
    precondition(pipelinedCount == 0)
    var text = text
    text.withUTF8 { utf8 in
      append(character: "$", number: Int64(utf8.count))
      // Sound: the buffer is the text's own, and lives as long as this closure.
      unsafe bytes.append(copying: utf8)
    }
    endLine()
  }

  /// Adds a number as an argument, in decimal digits.
  ///
  /// - Precondition: nothing is pipelined yet.
  package mutating func append(_ number: UInt64) {
    precondition(pipelinedCount == 0)
    append(character: "$", number: Int64(Self.width(of: number)))
    append(digits: number)
    endLine()
  }

  private mutating func append(character: Unicode.Scalar, number: Int64) {
    bytes.append(UInt8(truncatingIfNeeded: character.value))
    append(digits: UInt64(number))
    endLine()
  }

  private mutating func append(digits number: UInt64) {
    var digits = InlineArray<20, UInt8>(repeating: 0)
    var first = digits.count
    var rest = number
    repeat {
      first -= 1
      digits[first] = 0x30 + UInt8(rest % 10)
      rest /= 10
    } while rest > 0
    bytes.append(copying: digits.span.extracting(first...))
  }

  private mutating func endLine() {
    bytes.append(0x0D)
    bytes.append(0x0A)
  }

  private static func width(of number: UInt64) -> Int {
    var width = 1
    var rest = number / 10
    while rest > 0 {
      width += 1
      rest /= 10
    }
    return width
  }
}
