import Glibc

/// Small text files, read whole.
enum TextFile {
  /// The first 64 KiB of a file, or of its end; nil when it cannot be read.
  static func read(_ path: String, fromEnd: Bool = false) -> String? {
    guard let file = unsafe fopen(path, "re") else { return nil }
    // Sound: the file is open until it is closed here.
    defer { unsafe fclose(file) }
    let size = 1 << 16
    if fromEnd { unsafe fseek(file, -size, SEEK_END) }
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      unsafe count = fread(buffer.baseAddress, 1, size, file)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
