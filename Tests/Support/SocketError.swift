import Foundation
import Glibc

/// Why a socket call failed, told apart as far as a test cares.
enum SocketError: Error, Equatable {
  case timedOut
  case refused
  /// The other side broke the connection off instead of ending it.
  case reset
  case failed(call: String, code: Int32)

  init(call: String, code: Int32) {
    switch code {
    case EAGAIN, EINPROGRESS, ETIMEDOUT: self = .timedOut
    case ECONNREFUSED: self = .refused
    case ECONNRESET, EPIPE: self = .reset
    default: self = .failed(call: call, code: code)
    }
  }
}
