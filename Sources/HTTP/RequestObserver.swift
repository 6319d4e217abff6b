/// Watches the requests and responses of a server: an access log, for one.
///
/// A server without an observer only checks that there is none.
package protocol RequestObserver: AnyObject {
  /// A request is complete, or was refused.
  ///
  /// - Parameters:
  ///   - header: the part of the request line and the header fields that has arrived, parsed or not.
  ///   - client: where the request came from: the peer, unless a trusted proxy says otherwise.
  func requestParsed(_ exchange: Exchange, header: Span<UInt8>, client: NetworkAddress)

  /// A response was written.
  ///
  /// - Parameters:
  ///   - code: the status code; nil when the connection was closed before the response, by the client
  ///     or by the server. That may be reported again for a request that had its response.
  ///   - bodyCount: the size of the body in bytes; 0 for a HEAD request.
  func responseWritten(_ exchange: Exchange, code: Int?, bodyCount: Int)
}
