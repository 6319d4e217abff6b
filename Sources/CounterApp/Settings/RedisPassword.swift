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
    guard (redis.credentials.password ?? "").isEmpty else {
      if isFile { throw given.isBad("the Redis URL has a password of its own") }
      return redis
    }
    guard isFile else {
      redis.credentials.password = given.text
      return redis
    }
    let file = PasswordFile(given.text)
    do throws(AddressError) {
      redis.credentials.password = try file.read()
    } catch {
      throw given.isBad(error.reason)
    }
    redis.credentials.file = file
    return redis
  }
}
