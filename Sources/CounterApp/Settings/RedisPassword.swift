import Redis
import System

extension Configuration {
  /// Completes the Redis that was named without a password by the password that was given apart
  /// from it: in a file, or else in the environment.
  static func completePassword(
    of redis: RedisAddress?, _ source: SettingSource
  ) throws -> RedisAddress? {
    guard let given = source.find(Settings.redisPasswordFile.declaration) else { return redis }
    let isFile = given.name.hasPrefix("--")
    guard var redis else {
      if isFile { throw given.isBad("no Redis is named that it is for") }
      return nil
    }
    guard (redis.password ?? "").isEmpty else {
      if isFile { throw given.isBad("the Redis URL has a password of its own") }
      return redis
    }
    redis.password = isFile ? try readPassword(given) : given.text
    return redis
  }

  /// The longest password, in bytes; a longer file is something else.
  private static var longestPassword: Int { 4096 }

  /// Reads the content of a file, without the line ending at its end.
  private static func readPassword(_ file: GivenValue) throws -> String {
    var bytes: [UInt8]
    do throws(SystemError) {
      bytes = try TextFile.bytes(file.text, atMost: longestPassword + 2)
    } catch {
      throw file.isBad("the file cannot be read: \(error.reason)")
    }
    if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    guard !bytes.isEmpty else { throw file.isBad("the file is empty") }
    guard bytes.count <= longestPassword else {
      throw file.isBad("the file is longer than any password")
    }
    guard let password = String(validating: bytes, as: UTF8.self) else {
      throw file.isBad("the file is not text in UTF-8")
    }
    return password
  }
}
