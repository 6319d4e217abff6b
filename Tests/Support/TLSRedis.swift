/// A redis-server that speaks TLS on one port, and none on that by which the test asks it.
struct TLSRedis {
  let plain: RedisProcess
  let port: UInt16
  let certificates: Certificates

  func url(_ host: String = "127.0.0.1") -> String { "rediss://\(host):\(port)" }

  /// The flag that has a counter trust its certificate.
  var trust: [String] { ["--redis-ca", certificates.path("authority")] }

  /// Has new connections be shown another certificate.
  func use(_ certificate: String) throws {
    let reply = try plain.command(
      "CONFIG", "SET", "tls-cert-file", certificates.path(certificate), "tls-key-file",
      certificates.key(certificate))
    guard reply == .status("OK") else {
      throw NeverHappened(description: "the certificate is not used: \(reply)")
    }
  }
}

extension TLSRedis {
  /// Makes certificates that a client must not accept: one that has expired, one that is not valid yet, one
  /// for other names, one from an authority that is not trusted, and one without an authority.
  ///
  /// - Returns: their names.
  func makeBadCertificates() throws -> [String] {
    try certificates.makeAuthority("other")
    try certificates.issue("expired", .expired)
    try certificates.issue("later", .later)
    try certificates.issue("elsewhere", for: ["DNS:redis.example", "IP:127.0.0.9"])
    try certificates.issue("foreign", by: "other")
    return ["expired", "later", "elsewhere", "foreign", "other"]
  }
}

/// Lends a redis-server with TLS that is ended whatever happens.
///
/// - Parameter flags: what redis-server is told besides; its clients need no certificate by default.
func withTLSRedis<Result>(
  password: String? = nil, _ flags: [String] = [], _ body: (TLSRedis) throws -> Result
) throws -> Result {
  try withTemporaryFolder { folder in
    let certificates = try Certificates(in: folder)
    let port = try FreePort.take()
    let tls = [
      "--tls-port", "\(port)", "--tls-auth-clients", "no",
      "--tls-cert-file", certificates.path("server"), "--tls-key-file", certificates.key("server"),
      "--tls-ca-cert-file", certificates.path("authority"),
    ]
    return try withRedis(password: password, flags: tls + flags) { redis in
      try body(TLSRedis(plain: redis, port: port, certificates: certificates))
    }
  }
}
