import CLinux
import System

/// An IPv4 or IPv6 address, all as 128 bits: IPv4 is mapped into IPv6 (RFC 4291 section 2.5.5.2).
package struct NetworkAddress: Equatable, Sendable, BitwiseCopyable {
  /// The bits, the first byte of the address the highest.
  let bits: UInt128

  /// `::ffff:0:0/96`, where IPv4 addresses are.
  private static var mapped: UInt128 { 0xFFFF << 32 }

  var isIPv4: Bool { bits >> 32 == Self.mapped >> 32 }

  init(bits: UInt128) {
    self.bits = bits
  }

  /// Reads `192.0.2.1` or `2001:db8::1`, and nothing around it (inet_pton(3)).
  package init?(_ text: some Sequence<UInt8>) {
    var characters = text.map { CChar(bitPattern: $0) }
    // A zero would end the text early.
    guard characters.count <= 45, !characters.contains(0) else { return nil }
    characters.append(0)
    var four = in_addr()
    var six = in6_addr()
    // Sound: the text ends with a zero, and each call fills in at most the one value it is handed.
    if unsafe inet_pton(AF_INET, characters, &four) == 1 {
      bits = Self.mapped | UInt128(UInt32(bigEndian: four.s_addr))
    } else if unsafe inet_pton(AF_INET6, characters, &six) == 1 {
      bits = unsafe UInt128(bigEndian: unsafeBitCast(six, to: UInt128.self))
    } else {
      return nil
    }
  }
}

extension NetworkAddress: CustomStringConvertible {
  /// As people write it (RFC 5952).
  package var description: String {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
      var four = in_addr(s_addr: UInt32(truncatingIfNeeded: bits).bigEndian)
      var six = unsafe unsafeBitCast(bits.bigEndian, to: in6_addr.self)
      let size = socklen_t(text.count)
      // Sound: each call reads the one value, and writes at most `size` bytes, the last a zero.
      let start =
        unsafe isIPv4
        ? inet_ntop(AF_INET, &four, text.baseAddress, size)
        : inet_ntop(AF_INET6, &six, text.baseAddress, size)
      return unsafe start.map { unsafe String(cString: $0) } ?? ""
    }
  }
}

/// Addresses that begin with the same bits: `10.0.0.0/8`, or a single one.
package struct Network: Equatable, Sendable, BitwiseCopyable {
  private let prefix: UInt128
  private let mask: UInt128

  /// Reads an address, perhaps with the length of its prefix after a slash (RFC 4632 section 3.1).
  package init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = NetworkAddress(parts[0].utf8) else { return nil }
    let width = address.isIPv4 && !parts[0].contains(":") ? 32 : 128
    var length = width
    if parts.count == 2 {
      guard let number = parts[1].wholeNumber, number <= width else { return nil }
      length = number
    }
    mask = ~UInt128(0) << UInt128(width - length)
    prefix = address.bits & mask
  }

  /// Whether an address is one of them.
  package func contains(_ address: NetworkAddress) -> Bool {
    address.bits & mask == prefix
  }
}
