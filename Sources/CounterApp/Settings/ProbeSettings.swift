package import System

/// The settings of `counter health` and `counter check`.
extension Settings {
  /// The timeout of `counter check`; not a setting of the server.
  package static let checkTimeout = Setting(
    "timeout", nil, "seconds", default: "10", parseTimeout, "How long the whole check may take.")
}

extension SettingSource {
  /// The address and port of the counter to ask. The port cannot be 0.
  package func healthTarget() throws(SettingError) -> (host: String, port: UInt16) {
    let (host, port) = (try value(of: Settings.host), try value(of: Settings.port))
    guard port != 0 else {
      throw error(Settings.port.declaration, .expected("a port from 1 to 65535"))
    }
    return (host, port)
  }

  /// How long a check of a counter may take.
  package func checkTimeout() throws(SettingError) -> Interval {
    try value(of: Settings.checkTimeout)
  }
}
