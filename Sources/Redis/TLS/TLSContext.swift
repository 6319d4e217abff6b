import COpenSSL

/// What all encrypted connections begin with: the certificates that are trusted, and the client's own
/// (SSL_CTX of OpenSSL). The unsafe code about OpenSSL is in here and in `TLSSession`.
@safe
final class TLSContext {
  /// The object of OpenSSL. It is this value's own.
  private let context: OpaquePointer

  /// Reads the files.
  init(_ files: TLSFiles) throws(TLSFiles.Failure) {
    // The call fails only when there is no memory left, and then nothing else would work either.
    guard let made = unsafe copenssl_client_context() else { fatalError("out of memory") }
    unsafe context = unsafe made
    if let path = files.authorities {
      try trust(path)
    } else {
      // Sound: the object is this value's own, here and below.
      unsafe SSL_CTX_set_default_verify_paths(context)
    }
    if let path = files.certificate {
      try useCertificates(path)
      guard files.key != nil else { throw Self.failure(.key, "the certificate needs its key") }
    }
    if let path = files.key {
      guard files.certificate != nil else {
        throw Self.failure(.certificate, "the key needs its certificate")
      }
      try useKey(path)
    }
    ERR_clear_error()
  }

  deinit {
    // Sound: the object is this value's own, and this is its only end. Sessions keep it for as long as
    // they need it.
    unsafe SSL_CTX_free(context)
  }

  /// Begins a session with a server.
  ///
  /// - Parameters:
  ///   - host: the name or the numeric address that the server's certificate has to be for.
  ///   - socket: a descriptor that stays open for as long as the session is used.
  func makeSession(with host: String, on socket: CInt) -> TLSSession {
    // Sound: the object is this value's own. The call fails only when there is no memory left.
    guard let session = unsafe SSL_new(context) else { fatalError("out of memory") }
    return unsafe TLSSession(owning: session, with: host, on: socket)
  }

  private func trust(_ path: String) throws(TLSFiles.Failure) {
    let store = unsafe SSL_CTX_get_cert_store(context)
    unsafe try Self.readCertificates(path, .authorities) { certificate in
      // Sound: the store counts a reference of its own.
      unsafe X509_STORE_add_cert(store, certificate) == 1
    }
  }

  private func useCertificates(_ path: String) throws(TLSFiles.Failure) {
    var isFirst = true
    unsafe try Self.readCertificates(path, .certificate) { certificate in
      defer { isFirst = false }
      // Sound: the context counts references of its own.
      if isFirst { return unsafe SSL_CTX_use_certificate(context, certificate) == 1 }
      return unsafe copenssl_add_chain_certificate(context, certificate) == 1
    }
  }

  /// Hands each certificate of a file to a body, which returns whether it could use it.
  private static func readCertificates(
    _ path: String, _ role: TLSFiles.Role, _ use: (OpaquePointer) -> Bool
  ) throws(TLSFiles.Failure) {
    let isRead = unsafe withInput(try TLSFiles.read(path, role)) { input in
      var count = 0
      while let certificate = unsafe PEM_read_bio_X509(input, nil, nil, nil) {
        // Sound: the certificate is this function's own until here.
        defer { unsafe X509_free(certificate) }
        guard unsafe use(certificate) else { return false }
        count += 1
      }
      // That no further certificate begins is the end of the file.
      let error = ERR_peek_last_error()
      return count > 0 && ERR_GET_LIB(error) == ERR_LIB_PEM
        && ERR_GET_REASON(error) == PEM_R_NO_START_LINE
    }
    guard isRead else { throw failure(role, "the file holds no certificates in PEM") }
  }

  private func useKey(_ path: String) throws(TLSFiles.Failure) {
    let bytes = try TLSFiles.read(path, .key)
    let key = unsafe Self.withInput(bytes) { unsafe copenssl_read_key($0) }
    guard let key = unsafe key else {
      throw Self.failure(.key, "the file holds no private key in PEM, without a password")
    }
    // Sound: the key is this function's own; the context counts a reference of its own.
    defer { unsafe EVP_PKEY_free(key) }
    guard unsafe SSL_CTX_use_PrivateKey(context, key) == 1,
      unsafe SSL_CTX_check_private_key(context) == 1
    else { throw Self.failure(.key, "the key is not that of the certificate") }
  }

  /// Lends bytes, one or more, as OpenSSL reads them.
  private static func withInput<Result>(
    _ bytes: [UInt8], _ body: (OpaquePointer) -> Result
  ) -> Result {
    ERR_clear_error()
    return unsafe bytes.withUnsafeBytes { bytes in
      // Sound: the input only reads the array's own bytes, and ends before they do.
      guard let input = unsafe BIO_new_mem_buf(bytes.baseAddress, CInt(bytes.count)) else {
        fatalError("out of memory")
      }
      defer { unsafe BIO_free(input) }
      return unsafe body(input)
    }
  }

  private static func failure(_ role: TLSFiles.Role, _ reason: String) -> TLSFiles.Failure {
    ERR_clear_error()
    return TLSFiles.Failure(role: role, reason: reason)
  }
}
