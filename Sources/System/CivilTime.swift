package import BasicContainers
package import CLinux

extension timespec {
  /// The time since 1970 in UTC (clock_gettime(2), CLOCK_REALTIME).
  package static var wallClock: timespec {
    var time = timespec()
    // Sound: the call fills in the one value it is handed.
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return time
  }
}

extension UniqueArray<UInt8> {
  /// Adds a date and time in UTC, in at most 63 bytes.
  ///
  /// - Parameters:
  ///   - seconds: the time since 1970.
  ///   - format: of strftime(3); names of days and months are English, as in the C locale.
  package mutating func append(utc seconds: time_t, _ format: String) {
    var seconds = seconds
    var date = unsafe tm()
    append(addingCount: 64) { output in
      unsafe output.withUnsafeMutableBufferPointer { buffer, initialized in
        unsafe buffer.withMemoryRebound(to: CChar.self) { text in
          // Sound: the first call reads one value and fills in the other; the second writes at most
          // as many bytes as there is room for, and says how many, its zero at the end left out.
          unsafe gmtime_r(&seconds, &date)
          initialized = unsafe strftime(text.baseAddress, text.count, format, &date)
        }
      }
    }
  }
}
