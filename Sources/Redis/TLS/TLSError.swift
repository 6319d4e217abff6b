/// Why a connection to Redis is not encrypted, or its server not trusted.
package enum TLSError: Error, Equatable, Sendable {
  /// The certificate of the server has expired.
  case certificateExpired
  /// The certificate of the server is not valid yet.
  case certificateNotYetValid
  /// The certificate of the server is for other names or addresses.
  case wrongName
  /// The certificate of the server is from an authority that is not trusted.
  case unknownAuthority
  /// The certificate of the server is not accepted; with OpenSSL's reason.
  case badCertificate(String)
  /// What the server sends is not TLS.
  case notSpoken
  /// The server speaks TLS, and the connection is not encrypted.
  case required
  /// The server closed a connection that is not encrypted before it replied, as redis-server does when it
  /// speaks TLS.
  case perhapsRequired
  /// Client and server have no version of TLS in common.
  case noCommonVersion
  /// The server wants a certificate of the client, which has none.
  case clientCertificateRequired
  /// The server does not accept the certificate of the client; with OpenSSL's reason.
  case clientCertificateRefused(String)
  /// The handshake was not finished in time.
  case handshakeTimedOut
  /// The server closed the connection during the handshake.
  case handshakeClosed
  /// A file cannot be used.
  case unusableFile(TLSFiles.Failure)
  /// Another error; with OpenSSL's reason.
  case failed(String)
}

extension TLSError: CustomStringConvertible {
  /// The reason, for people; holds no name of a host.
  package var description: String {
    switch self {
    case .certificateExpired: "the server's certificate has expired"
    case .certificateNotYetValid: "the server's certificate is not valid yet"
    case .wrongName: "the server's certificate is for another name or address"
    case .unknownAuthority:
      "the server's certificate is from an authority that is not trusted (see --redis-ca)"
    case .badCertificate(let reason): "the server's certificate is not accepted: \(reason)"
    case .notSpoken: "the server does not speak TLS on this port"
    case .required: "the server speaks TLS on this port: the address has to begin with rediss"
    case .perhapsRequired:
      "connection closed before the first reply; perhaps the server speaks only TLS on this port (rediss://)"
    case .noCommonVersion: "the server speaks no TLS 1.2 or newer"
    case .clientCertificateRequired: "the server requires a client certificate (see --redis-cert)"
    case .clientCertificateRefused(let reason):
      "the server does not accept the client certificate: \(reason)"
    case .handshakeTimedOut:
      "the TLS handshake was not finished in time; perhaps the server does not speak TLS on this port"
    case .handshakeClosed: "connection closed in the TLS handshake"
    case .unusableFile(let failure): "\(failure.role.rawValue): \(failure.reason)"
    case .failed(let reason): "TLS failed: \(reason)"
    }
  }
}
