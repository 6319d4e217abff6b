import Foundation

/// Authorities of a test's own, and certificates from them, made by the openssl program in a folder.
///
/// A certificate `x` is the file `x.pem`, its key `x.key`.
struct Certificates {
  let folder: String

  /// When certificates begin and end to be valid, as `openssl ca` is told.
  enum Validity {
    case now
    case expired
    case later

    fileprivate var dates: (start: String, end: String) {
      switch self {
      case .now: ("20200101000000Z", "20900101000000Z")
      case .expired: ("20200101000000Z", "20210101000000Z")
      case .later: ("20890101000000Z", "20900101000000Z")
      }
    }
  }

  /// Makes an authority called `authority`, and `server`, a certificate of a server on this machine.
  init(in folder: String) throws {
    self.folder = folder
    try """
    [ca]
    default_ca = tests
    [tests]
    database = index
    new_certs_dir = .
    default_md = sha256
    rand_serial = yes
    copy_extensions = copy
    unique_subject = no
    policy = names
    [names]
    commonName = supplied
    """.write(toFile: "\(folder)/ca.cnf", atomically: false, encoding: .utf8)
    try "".write(toFile: "\(folder)/index", atomically: false, encoding: .utf8)
    try makeAuthority("authority")
    try issue("server")
  }

  func path(_ name: String) -> String { "\(folder)/\(name).pem" }

  func key(_ name: String) -> String { "\(folder)/\(name).key" }

  /// Makes an authority, whose certificate it signed itself.
  func makeAuthority(_ name: String) throws {
    try run(
      ["req", "-x509", "-days", "3650"] + request(name, subject: name) + ["-out", path(name)])
  }

  /// Makes an authority between another one and those whom it signs for.
  func makeAuthority(_ name: String, by authority: String) throws {
    try sign(name, by: authority, subject: name, "basicConstraints=critical,CA:TRUE", .now)
  }

  /// Makes a certificate from an authority.
  ///
  /// - Parameter names: what it is for, as openssl writes alternative names; by default this machine.
  func issue(
    _ name: String, by authority: String = "authority", subject: String = "server",
    for names: [String] = ["DNS:localhost", "IP:127.0.0.1"], _ validity: Validity = .now
  ) throws {
    let names = names.isEmpty ? nil : "subjectAltName=\(names.joined(separator: ","))"
    try sign(name, by: authority, subject: subject, names, validity)
  }

  private func sign(
    _ name: String, by authority: String, subject: String, _ addition: String?,
    _ validity: Validity
  ) throws {
    let extensions = addition.map { ["-addext", $0] } ?? []
    let draft = "\(folder)/\(name).csr"
    try run(["req"] + request(name, subject: subject) + extensions + ["-out", draft])
    let (start, end) = validity.dates
    try run([
      "ca", "-config", "ca.cnf", "-batch", "-notext", "-startdate", start, "-enddate", end,
      "-cert", path(authority), "-keyfile", key(authority), "-in", draft, "-out", path(name),
    ])
  }

  private func request(_ name: String, subject: String) -> [String] {
    [
      "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=\(subject)",
      "-keyout", key(name),
    ]
  }

  /// Runs the openssl program in the folder.
  func run(_ arguments: [String]) throws {
    let openssl = try ChildProcess(
      "/usr/bin/openssl", arguments, environment: [:], folder: folder)
    guard try openssl.waitForExit(within: .seconds(60)) == 0 else {
      throw NeverHappened(description: "openssl failed: \(openssl.errors)")
    }
  }
}
