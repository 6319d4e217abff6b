import CLinux
import System
import Glibc

/// The folder in which a private redis-server keeps its data. One process at a time may lock it.
struct DataFolder: ~Copyable {
  /// The absolute path.
  let path: String

  /// Locked for as long as this descriptor, or a copy that a child inherited, is open (flock(2)).
  let lockFile: Descriptor

  /// Makes the folder if it is missing.
  init(_ path: String) throws(SystemError) {
    try Self.make(path)
    let absolute = try Self.absolute(path)
    lockFile = try Self.open("\(absolute)/lock", O_RDWR | O_CREAT)
    self.path = absolute
  }

  /// Locks the folder.
  ///
  /// - Returns: false when the lock is held though the process that took it is gone: a redis-server
  ///   whose counter was killed has inherited it, and ends by itself, but not at once.
  /// - Throws: when the process that took the lock is alive.
  func lock() throws -> Bool {
    while flock(lockFile.number, LOCK_EX | LOCK_NB) != 0 {
      let error = SystemError("flock")
      if error.code == EINTR { continue }
      guard error.code == EWOULDBLOCK else { throw error }
      guard let holder, holder != getpid(), kill(holder, 0) != 0, errno == ESRCH else {
        let process = holder.map { " by process \($0)" } ?? ""
        throw PrivateRedis.Failure("the data folder is in use\(process)")
      }
      return false
    }
    writeHolder()
    return true
  }

  /// The process that took the lock last.
  var holder: pid_t? { TextFile.read("\(path)/lock").flatMap { pid_t($0.filter(\.isNumber)) } }

  /// Opens a file in the folder to write at its end; other users may not read it.
  func open(_ name: String) throws(SystemError) -> Descriptor {
    try Self.open("\(path)/\(name)", O_WRONLY | O_CREAT | O_APPEND)
  }

  /// Writes the id of this process into the lock file, for messages. The lock does not depend on it,
  /// so that a failure does no harm.
  private func writeHolder() {
    var text = "\(getpid())\n"
    guard ftruncate(lockFile.number, 0) == 0 else { return }
    text.withUTF8 { text in
      // Sound: the kernel reads the text's own bytes during the call.
      _ = unsafe pwrite(lockFile.number, text.baseAddress, text.count, 0)
    }
  }

  /// Makes a folder and the folders it lies in; other users may not read them.
  private static func make(_ path: String) throws(SystemError) {
    var end = path.startIndex
    repeat {
      end = path[end...].dropFirst().firstIndex(of: "/") ?? path.endIndex
      guard unsafe mkdir(String(path[..<end]), 0o700) != 0 else { continue }
      let error = SystemError("mkdir")
      // A file instead of a folder is noticed when something is opened in it.
      guard error.code == EEXIST || error.code == EISDIR else { throw error }
    } while end < path.endIndex
  }

  private static func absolute(_ path: String) throws(SystemError) -> String {
    guard let absolute = unsafe realpath(path, nil) else { throw SystemError("realpath") }
    // Sound: the text is ours to free, and was copied before.
    defer { unsafe free(absolute) }
    return unsafe String(cString: absolute)
  }

  private static func open(_ path: String, _ flags: CInt) throws(SystemError) -> Descriptor {
    Descriptor(owning: try systemCall("open") { unsafe Glibc.open(path, flags | O_CLOEXEC, 0o600) })
  }
}
