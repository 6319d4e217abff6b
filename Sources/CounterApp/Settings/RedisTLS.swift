import Redis

extension Configuration {
  /// Completes an encrypted Redis by the files that its connections are checked and made with, and reads
  /// these once. Without an encrypted Redis the environment variables have no effect, and a flag is an
  /// error.
  static func completeTLS(of redis: RedisAddress?, _ source: SettingSource) throws -> RedisAddress?
  {
    let settings = [Settings.redisCA, Settings.redisCertificate, Settings.redisKey]
    guard var redis, redis.isEncrypted else {
      let given = settings.compactMap { source.find($0.declaration) }
      if let flag = given.first(where: \.isFlag) {
        throw flag.isBad("no encrypted Redis (rediss://) is named that it is for")
      }
      return redis
    }
    redis.tlsFiles = TLSFiles(
      authorities: try source.given(Settings.redisCA),
      certificate: try source.given(Settings.redisCertificate),
      key: try source.given(Settings.redisKey))
    do throws(TLSFiles.Failure) {
      try redis.tlsFiles.check()
    } catch {
      let setting =
        switch error.role {
        case .authorities: Settings.redisCA
        case .certificate: Settings.redisCertificate
        case .key: Settings.redisKey
        }
      throw source.conflicting(setting.declaration).isBad(error.reason)
    }
    return redis
  }
}
