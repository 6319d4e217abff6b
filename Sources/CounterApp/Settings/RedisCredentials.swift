import Redis
import System

extension Configuration {
  /// Completes the Redis that was named without a password by the password that was given apart
  /// from it: in a file, or else in the environment.
  static func completePassword(
    of redis: RedisAddress?, _ source: SettingSource
  ) throws -> RedisAddress? {
    guard let given = source.find(Settings.redisPasswordFile.declaration) else { return redis }
    guard var redis else {
      if given.isFlag { throw given.isBad("no Redis is named that it is for") }
      return nil
    }
    guard (redis.credentials.password ?? "").isEmpty else {
      if given.isFlag { throw given.isBad("the Redis URL has a password of its own") }
      return redis
    }
    try given.readPassword(into: &redis.credentials)
    return redis
  }

  /// Completes the Redis that sentinels find by the user and the password for these.
  static func completeSentinels(
    of redis: RedisAddress?, _ source: SettingSource
  ) throws -> RedisAddress? {
    let user = source.find(Settings.sentinelUser.declaration)
    let password = source.find(Settings.sentinelPasswordFile.declaration)
    guard var redis, case .sentinel = redis.endpoint else {
      for given in [user, password] {
        if let given, given.isFlag { throw given.isBad("the Redis URL names no sentinels") }
      }
      return redis
    }
    if let user, password == nil { throw user.isBad("there is no password for the sentinels") }
    redis.sentinelCredentials.user = user?.text
    try password?.readPassword(into: &redis.sentinelCredentials)
    return redis
  }
}

extension GivenValue {
  /// Reads a password: a flag names its file, a variable holds it.
  fileprivate func readPassword(into credentials: inout Credentials) throws {
    guard isFlag else {
      credentials.password = text
      return
    }
    let file = PasswordFile(text)
    do throws(AddressError) {
      credentials.password = try file.read()
    } catch {
      throw isBad(error.reason)
    }
    credentials.file = file
  }
}
