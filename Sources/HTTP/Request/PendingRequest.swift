/// What has to be known of a request to answer it.
struct UnderstoodRequest {
  let method: Method
  let resource: Resource
  let options: Exchange.Options

  @inline(__always)
  init(_ head: RequestHead, _ resource: Resource) {
    method = head.method
    self.resource = resource
    var options: Exchange.Options = []
    if head.method == .head { options.insert(.withoutBody) }
    if !head.isPersistent {
      options.insert(.last)
    } else if head.minorVersion == 0 {
      options.insert(.saysKeepAlive)
    }
    self.options = options
  }
}

/// A request whose header was parsed and whose body is on its way. The connection keeps the header.
struct PendingRequest: BitwiseCopyable {
  var rest: Rest

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
