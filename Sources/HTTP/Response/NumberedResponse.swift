import BasicContainers

/// An answer that is given over and over with a number that grows by one.
///
/// The last one is kept as it was written: the next is the same bytes with one added to the number's
/// digits, as long as the second and the number of digits are the same.
package struct NumberedResponse: ~Copyable, Sendable {
  let response: Response
  private var last = ByteBuffer()
  private var number: Int64?
  private var edition: UInt64 = 0

  /// - Parameter response: an answer with a number in its text.
  package init(_ response: consuming Response) {
    self.response = response
  }

  /// Writes the answer, with its body and no Connection field, at the end of `output`.
  mutating func write(
    _ number: Int64, to output: inout ByteBuffer, date: borrowing DateField
  ) {
    let isNext = edition == date.edition && number > 0 && self.number == number &- 1
    if !isNext || !addOne() {
      last.removeAll(keepingCapacity: true)
      response.write(to: &last, date: date, .implied, number: number, withBody: true)
      edition = date.edition
    }
    self.number = number
    output.append(last, from: 0)
  }

  /// Adds one to the digits of a number that is not negative.
  ///
  /// - Returns: false when it takes one digit more, or when there is no number to add to.
  private mutating func addOne() -> Bool {
    var index = last.count &- response.countAfterNumber
    var digits = last.mutableSpan
    while index > 0 {
      index &-= 1
      switch digits[index] {
      case 0x30...0x38:
        digits[index] &+= 1
        return true
      case 0x39:
        digits[index] = 0x30
      default:
        return false
      }
    }
    return false
  }
}
