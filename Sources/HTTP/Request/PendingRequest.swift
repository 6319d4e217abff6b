/// A request whose head was understood, and what is left of its body.
struct PendingRequest {
  let method: Method
  let resource: Resource
  let options: Exchange.Options

  /// What of the body has not come yet; nil when the request is complete.
  var body: Body?

  enum Body {
    /// That many bytes.
    case length(Int)
    /// Chunks.
    case chunked(ChunkedBody)
  }

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
    switch head.body {
    case .none: body = nil
    case .length(let length): body = .length(length)
    case .chunked: body = .chunked(ChunkedBody())
    }
  }
}
