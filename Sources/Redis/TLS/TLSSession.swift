import COpenSSL
import Glibc
import System

/// The TLS session of a connection (SSL of OpenSSL). It reads from and writes to a socket that is not its
/// own, without waiting.
@safe
final class TLSSession {
  /// The object of OpenSSL. It is this value's own.
  private let session: OpaquePointer

  /// Whether the last call could not go on because the kernel took no bytes. Any call may have to write:
  /// reading too, when the server changes its key (RFC 8446 section 4.6.3).
  private(set) var isWriteBlocked = false

  /// Becomes the owner of a session, and prepares it for a host and a socket.
  @unsafe
  init(owning session: OpaquePointer, with host: String, on socket: CInt) {
    unsafe self.session = unsafe session
    // Sound: the session is this value's own, and copies the texts. The calls fail only when there is no
    // memory left.
    let isPrepared =
      unsafe copenssl_set_socket(session, socket) == 1 && setHost(host, of: session)
    guard isPrepared else { fatalError("out of memory") }
    unsafe SSL_set_connect_state(session)
  }

  deinit {
    // Sound: the object is this value's own, and this is its only end.
    unsafe SSL_free(session)
  }

  /// Goes on with the handshake.
  ///
  /// - Returns: whether it is finished: the server's certificate was accepted.
  func handshake() throws(RedisError) -> Bool {
    prepare()
    // Sound: the session is this value's own, here and below.
    let status = unsafe SSL_do_handshake(session)
    if status == 1 { return true }
    guard try isBlocked(status) else { throw .tls(.handshakeClosed) }
    return false
  }

  /// Reads bytes that have arrived into the free part of `output`, those of one record at most.
  ///
  /// - Returns: how many bytes were read; 0 at the end of the stream; nil when none has arrived.
  func receive(into output: inout OutputSpan<UInt8>) throws(RedisError) -> Int? {
    prepare()
    var status: CInt = 0
    let received = unsafe output.withUnsafeMutableBufferPointer { buffer, initialized in
      var count = 0
      // Sound: OpenSSL writes at most `capacity - count` bytes from the first free one on, and as many as
      // it reports are counted as initialized.
      unsafe status = SSL_read_ex(
        session, buffer.baseAddress?.advanced(by: initialized), buffer.count - initialized, &count)
      if status == 1 { initialized += count }
      return count
    }
    if status == 1 { return received }
    return try isBlocked(status) ? nil : 0
  }

  /// Writes bytes, those of one record at most. Bytes that the kernel did not take have to be the first of
  /// the next call.
  ///
  /// - Returns: how many bytes were written; nil when the kernel takes none now.
  func send(_ bytes: borrowing Span<UInt8>) throws(RedisError) -> Int? {
    prepare()
    var count = 0
    // Sound: OpenSSL only reads the span's own bytes, during the call.
    let status = unsafe bytes.withUnsafeBufferPointer { buffer in
      unsafe SSL_write_ex(session, buffer.baseAddress, buffer.count, &count)
    }
    if status == 1 { return count }
    do throws(RedisError) {
      guard try isBlocked(status) else { throw .closed }
      return nil
    } catch {
      // A server that refuses the client's certificate says so and closes the connection at once.
      throw receivedAlert ?? error
    }
  }

  /// The alert that has arrived, if it is the next that can be read.
  private var receivedAlert: RedisError? {
    ERR_clear_error()
    var (byte, count) = (UInt8(0), 0)
    // Sound: OpenSSL writes one byte at most, during the call.
    let status = unsafe SSL_read_ex(session, &byte, 1, &count)
    guard status != 1, unsafe SSL_get_error(session, status) == SSL_ERROR_SSL else { return nil }
    return .tls(error(ERR_peek_error()))
  }

  /// Whether bytes have arrived that the kernel no longer has, and that were not read. They may be a part of
  /// a record, which cannot be read.
  var hasBufferedInput: Bool { unsafe SSL_has_pending(session) == 1 }

  /// Tells the server that no further bytes come (close_notify, RFC 8446 section 6.1), if the kernel takes
  /// that. The server's own is not awaited.
  func sendClose() {
    unsafe SSL_shutdown(session)
    ERR_clear_error()
  }

  /// Makes the next error one of the next call: the errors of a thread are in one queue.
  private func prepare() {
    isWriteBlocked = false
    ERR_clear_error()
  }

  /// Whether a call has to be made again when the socket is ready; false at the end of the stream.
  private func isBlocked(_ status: CInt) throws(RedisError) -> Bool {
    let code = errno
    switch unsafe SSL_get_error(session, status) {
    case SSL_ERROR_WANT_READ:
      return true
    case SSL_ERROR_WANT_WRITE:
      isWriteBlocked = true
      return true
    case SSL_ERROR_ZERO_RETURN:
      return false
    case SSL_ERROR_SYSCALL:
      throw .system(SystemError("TLS", code: code))
    default:
      throw .tls(error(ERR_peek_error()))
    }
  }
}

/// Has a session name a host to the server, and check that the certificate is for it (RFC 9525): for a
/// name among its DNS names, for a numeric address among its addresses. The subject's common name does not
/// count.
@unsafe
private func setHost(_ host: String, of session: OpaquePointer) -> Bool {
  let parameters = unsafe SSL_get0_param(session)
  if let address = SocketAddress(host: host, port: 0) {
    // A text may be numeric for the C library only, as `127.1` and `fe80::1%eth0` are.
    let bytes = address.addressBytes
    return unsafe X509_VERIFY_PARAM_set1_ip(parameters, bytes, bytes.count) == 1
  }
  // A dot at the end says that the name is complete; it is no part of the name in certificates.
  let name = host.hasSuffix(".") ? String(host.dropLast()) : host
  unsafe X509_VERIFY_PARAM_set_hostflags(
    parameters,
    CUnsignedInt(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
  return unsafe SSL_set1_host(session, name) == 1 && copenssl_set_server_name(session, name) == 1
}

// MARK: - Errors

extension TLSSession {
  private func error(_ code: UInt) -> TLSError {
    let reason = ERR_GET_REASON(code)
    switch reason {
    case SSL_R_CERTIFICATE_VERIFY_FAILED: return certificateError
    case SSL_R_WRONG_VERSION_NUMBER: return .notSpoken
    case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION: return .noCommonVersion
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED: return .clientCertificateRequired
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE where wasAskedForCertificate:
      // What TLS 1.2 has for it.
      return .clientCertificateRequired
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
      SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
      SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, SSL_R_TLSV1_ALERT_UNKNOWN_CA,
      SSL_R_TLSV1_ALERT_DECRYPT_ERROR, SSL_R_TLSV1_ALERT_ACCESS_DENIED:
      return .clientCertificateRefused(text(of: code))
    default: return .failed(text(of: code))
    }
  }

  private var certificateError: TLSError {
    let result = unsafe SSL_get_verify_result(session)
    switch CInt(truncatingIfNeeded: result) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return .certificateExpired
    case X509_V_ERR_CERT_NOT_YET_VALID: return .certificateNotYetValid
    case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: return .wrongName
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
      X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
      X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return .unknownAuthority
    default:
      // Sound: the text is a constant of OpenSSL.
      return .badCertificate(unsafe String(cString: X509_verify_cert_error_string(result)))
    }
  }

  /// Whether the server asked for a certificate, and the client has none.
  private var wasAskedForCertificate: Bool {
    unsafe SSL_get_client_CA_list(session) != nil && SSL_get_certificate(session) == nil
  }

  private func text(of code: UInt) -> String {
    // Sound: the text is a constant of OpenSSL.
    guard let text = unsafe ERR_reason_error_string(code) else { return "error \(code)" }
    return unsafe String(cString: text)
  }
}
