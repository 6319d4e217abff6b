/// A request whose header was parsed and whose body is on its way. The connection keeps the header,
/// and behind it the body if the route asks for it.
struct PendingRequest: BitwiseCopyable {
  var rest: Rest

  /// The most bytes of the body that are kept; nil when the body is read past.
  let bodyLimit: Int?

  /// How many bytes of the body are kept.
  var bodyCount = 0

  /// A `100 Continue` is due once the earlier requests are answered.
  var owesContinue: Bool

  /// The part of the body that has not come.
  enum Rest: BitwiseCopyable {
    /// A number of bytes.
    case length(Int)
    /// Chunks.
    case chunked(ChunkedBody)
  }
}
