import BasicContainers
import HTTP

extension ImageKind {
  /// The image whose name a path ends with.
  init?(_ name: Range<Int>, of bytes: Span<UInt8>) {
    switch name.count {
    case 9 where bytes.spells("badge.svg", name): self = .badge
    case 9 where bytes.spells("pixel.gif", name): self = .pixel
    case 10 where bytes.spells("digits.svg", name): self = .digits
    case 10 where bytes.spells("badge.json", name): self = .badgeJSON
    case 6 where bytes.spells("shield", name): self = .shield
    default: return nil
    }
  }
}

extension ImageOptions {
  /// Reads the parameters of a request, and sets those that are valid.
  ///
  /// - Parameter query: what stands behind the question mark.
  /// - Returns: what is wrong first.
  mutating func read(
    _ query: Range<Int>, of bytes: Span<UInt8>, for kind: ImageKind
  ) -> Problem? {
    var problem: Problem?
    var seen: UInt32 = 0
    try? QueryParameters.forEach(query, of: bytes) { name, value throws(Problem) in
      do throws(Problem) {
        guard let parameter = Parameter(try QueryParameters.text(name, of: bytes), of: kind) else {
          return
        }
        guard seen & 1 << parameter.rawValue == 0 else { throw .repeatedParameter }
        seen |= 1 << parameter.rawValue
        try read(parameter, value, of: bytes, for: kind)
      } catch {
        problem = problem ?? error
      }
    }
    return problem
  }

  private mutating func read(
    _ parameter: Parameter, _ value: Range<Int>, of bytes: Span<UInt8>, for kind: ImageKind
  ) throws(Problem) {
    var decoded = UniqueArray<UInt8>(minimumCapacity: value.count)
    guard decoded.append(decoding: value, of: bytes, .query) else { throw .malformedQuery }
    do throws(ImageError) {
      try set(parameter, decoded.span, of: kind)
    } catch {
      throw .image(error)
    }
  }
}
