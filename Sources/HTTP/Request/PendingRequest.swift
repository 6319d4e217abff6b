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

/// A request whose head was understood, and what of its body has not come yet.
struct PendingRequest {
  let request: UnderstoodRequest
  var rest: Rest

  enum Rest {
    /// That many bytes.
    case length(Int)
    /// Chunks.
    case chunked(ChunkedBody)
  }
}
