import CLinux
import Glibc

/// Small text files, read whole.
package enum TextFile {
  /// The first 64 KiB of a file; nil when it cannot be read.
  package static func read(_ path: String) -> String? {
    let bytes = try? bytes(path, atMost: 1 << 16)
    return bytes.map { String(decoding: $0, as: UTF8.self) }
  }

  /// The last line that was written to a file after its first `offset` bytes; nil when there is
  /// none.
  package static func lastLine(_ path: String, from offset: Int) -> String? {
    guard let size = size(path) else { return nil }
    let bytes = try? bytes(path, from: max(offset, size - 4096), atMost: 4096)
    let lines = bytes.map { String(decoding: $0, as: UTF8.self).split(separator: "\n") }
    return lines?.last.map(String.init)
  }

  /// The size of a file in bytes; nil when there is no such file.
  package static func size(_ path: String) -> Int? { stamp(path)?.size }

  /// Whether a path names an ordinary file, which can be read at any time without waiting.
  package static func isRegular(_ path: String) -> Bool { stamp(path)?.isRegular == true }

  /// What tells one state of a file from another.
  package struct Stamp: Equatable, Sendable {
    /// Whether it is an ordinary file.
    package let isRegular: Bool
    /// In bytes.
    package let size: Int
    private let device: UInt
    private let inode: UInt
    private let seconds: Int
    private let nanoseconds: Int

    fileprivate init(_ status: stat) {
      isRegular = status.st_mode & S_IFMT == S_IFREG
      device = UInt(status.st_dev)
      inode = UInt(status.st_ino)
      size = Int(status.st_size)
      (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
    }
  }

  /// The state of a file; nil when there is no such file.
  package static func stamp(_ path: String) -> Stamp? {
    var status = stat()
    // Sound: the call fills in the one value it is handed.
    return unsafe stat(path, &status) == 0 ? Stamp(status) : nil
  }

  /// Bytes of a file.
  ///
  /// - Parameters:
  ///   - offset: how many bytes are skipped.
  ///   - size: how many are read at most.
  package static func bytes(
    _ path: String, from offset: Int = 0, atMost size: Int
  ) throws(SystemError) -> [UInt8] {
    guard let file = unsafe fopen(path, "re") else { throw SystemError("open") }
    // Sound: the file is open until it is closed here.
    defer { unsafe fclose(file) }
    if offset > 0 { unsafe fseek(file, offset, SEEK_SET) }
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      unsafe count = fread(buffer.baseAddress, 1, size, file)
    }
    guard unsafe ferror(file) == 0 else { throw SystemError("read") }
    return bytes
  }
}
