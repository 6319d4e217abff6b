import Redis
import System

extension Configuration {
  /// Completes the Redis that was named without a password by the password that was given apart
  /// from it: in a file, or else in the environment.
  static func completePassword(
    of redis: RedisAddress?, _ source: SettingSource
  ) throws(SettingError) -> RedisAddress? {
    let given = source.find(Settings.redisPasswordFile.declaration)
    let file = given.flatMap { $0.name.hasPrefix("--") ? $0 : nil }
    guard var redis else {
      if let file { throw file.error(.because("no Redis is named that it is for")) }
      return nil
    }
    guard (redis.password ?? "").isEmpty else {
      if let file { throw file.error(.because("the Redis URL has a password of its own")) }
      return redis
    }
    if let file {
      redis.password = try readPassword(file)
    } else if let given {
      redis.password = given.text
    }
    return redis
  }

  /// The longest password, in bytes; a longer file is something else.
  private static var longestPassword: Int { 4096 }

  /// Reads the content of a file, without the line ending at its end.
  private static func readPassword(_ file: GivenValue) throws(SettingError) -> String {
    var bytes: [UInt8]
    do throws(SystemError) {
      bytes = try TextFile.bytes(file.text, atMost: longestPassword + 2)
    } catch {
      throw file.error(.because("the file cannot be read: \(error.reason)"))
    }
    if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    guard !bytes.isEmpty else { throw file.error(.because("the file is empty")) }
    guard bytes.count <= longestPassword else {
      throw file.error(.because("the file is longer than any password"))
    }
    guard let password = String(validating: bytes, as: UTF8.self) else {
      throw file.error(.because("the file is not text in UTF-8"))
    }
    return password
  }
}
