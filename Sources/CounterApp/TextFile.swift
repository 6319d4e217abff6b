import System
import Glibc

/// Small text files, read whole.
enum TextFile {
  /// The first 64 KiB of a file, or of its end; nil when it cannot be read.
  static func read(_ path: String, fromEnd: Bool = false) -> String? {
    let bytes = try? bytes(path, atMost: 1 << 16, fromEnd: fromEnd)
    return bytes.map { String(decoding: $0, as: UTF8.self) }
  }

  /// The first bytes of a file, or the last.
  static func bytes(
    _ path: String, atMost size: Int, fromEnd: Bool = false
  ) throws(SystemError) -> [UInt8] {
    guard let file = unsafe fopen(path, "re") else { throw SystemError("open") }
    // Sound: the file is open until it is closed here.
    defer { unsafe fclose(file) }
    if fromEnd { unsafe fseek(file, -size, SEEK_END) }
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      unsafe count = fread(buffer.baseAddress, 1, size, file)
    }
    guard unsafe ferror(file) == 0 else { throw SystemError("read") }
    return bytes
  }
}
