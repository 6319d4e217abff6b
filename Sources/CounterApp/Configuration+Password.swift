import System
import Redis

extension Configuration {
  /// Completes the Redis that was named without a password by one that was given apart from it: in
  /// a file, or else in the environment.
  static func complete(
    _ redis: RedisAddress?, passwordFile file: String?, _ find: Finder
  ) throws(BadSetting) -> RedisAddress? {
    let setting = file.map { Setting(name: "--redis-password-file", value: $0) }
    guard var redis else {
      if let setting { throw setting.bad(because: "no Redis is named that it is for") }
      return nil
    }
    guard (redis.password ?? "").isEmpty else {
      if let setting { throw setting.bad(because: "the Redis URL has a password of its own") }
      return redis
    }
    if let setting {
      redis.password = try password(inFile: setting)
    } else if let setting = find.setting("REDIS_PASSWORD") {
      redis.password = setting.value
    }
    return redis
  }

  /// The longest password, in bytes; a longer file is something else.
  private static var longestPassword: Int { 4096 }

  /// The content of a file but for the line's end.
  private static func password(inFile setting: Setting) throws(BadSetting) -> String {
    var bytes: [UInt8]
    do throws(SystemError) {
      bytes = try TextFile.bytes(setting.value, atMost: longestPassword + 2)
    } catch {
      throw setting.bad(because: "the file cannot be read: \(error.reason)")
    }
    if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    guard !bytes.isEmpty else { throw setting.bad(because: "the file is empty") }
    guard bytes.count <= longestPassword else {
      throw setting.bad(because: "the file is longer than any password")
    }
    guard let password = String(validating: bytes, as: UTF8.self) else {
      throw setting.bad(because: "the file is no text in UTF-8")
    }
    return password
  }
}

extension Setting {
  /// The setting as one that cannot be used; says nothing of its value.
  fileprivate func bad(because reason: String) -> Configuration.BadSetting {
    Configuration.BadSetting(name: name, reason: reason)
  }
}
