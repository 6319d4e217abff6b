import BasicContainers

/// A command as it is sent: an array of bulk strings (Redis serialization protocol,
/// https://redis.io/docs/latest/develop/reference/protocol-spec/).
///
/// It is made here, so that what is sent again and again is made once; hiredis would make it each time.
package struct Command: ~Copyable, Sendable {
  private(set) var bytes = UniqueArray<UInt8>(minimumCapacity: 320)

  /// How many commands it takes along.
  private(set) var companions = 0

  /// Starts a command of that many arguments, its name among them.
  package init(argumentCount: Int) {
    append(character: "*", number: Int64(argumentCount))
  }

  /// A command of these arguments, the first of them its name.
  package init(_ arguments: [String]) {
    self.init(argumentCount: arguments.count)
    for argument in arguments { append(argument) }
  }

  /// Starts a command with all that another has by now.
  package init(startingLike other: borrowing Command) {
    bytes.append(copying: other.bytes.span)
    companions = other.companions
  }

  /// Takes another command along, to be carried out behind it. That Redis did not refuse it is all that
  /// anybody wants to know.
  package mutating func take(along other: borrowing Command) {
    bytes.append(copying: other.bytes.span)
    companions += 1 + other.companions
  }

  /// Adds an argument. What is taken along comes after all of them.
  package mutating func append(_ text: String) {
    precondition(companions == 0)
    var text = text
    text.withUTF8 { utf8 in
      append(character: "$", number: Int64(utf8.count))
      // Sound: the buffer is the text's own, and lives as long as this closure.
      unsafe bytes.append(copying: utf8)
    }
    endLine()
  }

  /// Adds an argument of the number's decimal digits.
  package mutating func append(_ number: UInt64) {
    precondition(companions == 0)
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
