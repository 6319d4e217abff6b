import CLinux
import System
import Glibc

/// The folder in which a private redis-server keeps its data, held for us alone.
struct DataFolder: ~Copyable {
  /// Its absolute path.
  let path: String

  /// Taken for as long as this, or a copy that a child inherited, is open (flock(2)).
  let lock: Descriptor

  /// Why it cannot be had.
  enum Failure: Error, Equatable {
    case inUse(byProcess: pid_t?)
    case system(SystemError)
  }

  private init(path: String, lock: consuming Descriptor) {
    self.path = path
    self.lock = lock
  }

  /// Makes the folder if it is missing, and takes it.
  ///
  /// A redis-server whose counter was killed ends by itself, but not at once; so a folder that is
  /// held though the process that took it is gone is waited for.
  static func take(_ path: String) throws(Failure) -> DataFolder {
    let folder: DataFolder
    do throws(SystemError) {
      try make(path)
      let path = try absolute(path)
      folder = DataFolder(path: path, lock: try open("\(path)/lock", O_RDWR | O_CREAT))
    } catch {
      throw .system(error)
    }
    try folder.takeLock(waitingFor: .seconds(10))
    return folder
  }

  /// Opens a file in the folder to write at its end; nobody else may read it.
  func open(_ name: String) throws(Failure) -> Descriptor {
    do {
      return try Self.open("\(path)/\(name)", O_WRONLY | O_CREAT | O_APPEND)
    } catch {
      throw .system(error)
    }
  }

  private func takeLock(waitingFor limit: Interval) throws(Failure) {
    let end = Instant.now + limit
    while flock(lock.number, LOCK_EX | LOCK_NB) != 0 {
      let error = SystemError("flock")
      guard error.code == EWOULDBLOCK || error.code == EINTR else { throw .system(error) }
      let holder = TextFile.read("\(path)/lock").flatMap { pid_t($0.filter(\.isNumber)) }
      guard let holder, holder != getpid(), kill(holder, 0) != 0, Instant.now < end else {
        throw .inUse(byProcess: holder)
      }
      usleep(10_000)
    }
    writeHolder()
  }

  /// Leaves word who took the folder. The lock counts, not the word, so a failure does no harm.
  private func writeHolder() {
    var text = "\(getpid())\n"
    guard ftruncate(lock.number, 0) == 0 else { return }
    text.withUTF8 { text in
      // Sound: the kernel reads the text's own bytes during the call.
      _ = unsafe pwrite(lock.number, text.baseAddress, text.count, 0)
    }
  }

  /// Makes a folder and those it lies in, for nobody else to read.
  private static func make(_ path: String) throws(SystemError) {
    var end = path.startIndex
    repeat {
      end = path[end...].dropFirst().firstIndex(of: "/") ?? path.endIndex
      guard unsafe mkdir(String(path[..<end]), 0o700) != 0 else { continue }
      let error = SystemError("mkdir")
      // What exists and is no folder is found out by whoever opens something in it.
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
