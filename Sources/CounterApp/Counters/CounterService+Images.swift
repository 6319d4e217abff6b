import BasicContainers
import Counting
import HTTP
import System
import Telemetry

// Requests for images of counters, and the responses to them. They are 200 even when there is no number, because
// image proxies and browsers show no others; the image says what is wrong then.

// MARK: - Requests

extension CounterService {
  /// Handles a request for an image of a counter.
  ///
  /// - Parameters:
  ///   - isHit: whether the request counts, unless it is HEAD.
  ///   - key: the key of the counter when it stands in the query, percent-encoded.
  mutating func handleImage(
    _ kind: ImageKind, isHit: Bool, _ request: Request, key: Range<Int>? = nil,
    _ server: inout Server, _ counting: inout GroupCommit
  ) {
    let isHit = isHit && request.method != .head
    var image = PendingImage(request.exchange, kind, isHit: isHit)
    var problem = image.options.read(request.query, of: server.requestBytes, for: kind)
    do throws(Problem) {
      try readImageName(
        request, key: key, isHit: isHit, server.requestBytes, &image.options)
    } catch {
      problem = problem ?? error
    }
    if let problem { return refuseImage(image, problem, &server) }
    guard images.hasRoom(for: image) else { return respondImage(image, .unavailable, &server) }
    let index = images.insert(image, now)
    if !counting.visit(AnswerTicket(image: index).ticket, name.name, isHit ? .hit : .read),
      let image = images.remove(index)
    {
      respondImage(image, .unavailable, &server)
    }
  }

  /// Handles a request for an image whose key is in the query, for keys that a path cannot carry:
  /// `/hit/blog/badge.svg?key=a/b`.
  ///
  /// - Returns: false when the request is another one.
  mutating func handleImageByQuery(
    _ endpoint: Endpoint, _ request: Request, _ server: inout Server, _ counting: inout GroupCommit
  ) -> Bool {
    guard endpoint == .hit || endpoint == .get, request.method != .post,
      let kind = ImageKind(request.parameters[1], of: server.requestBytes)
    else { return false }
    do throws(Problem) {
      let keys = try QueryParameters.keys(request.query, of: server.requestBytes)
      guard let key = keys.first else { return false }
      guard keys.count == 1 else { throw .severalKeys }
      handleImage(kind, isHit: endpoint == .hit, request, key: key, &server, &counting)
    } catch {
      refuseImage(PendingImage(request.exchange, kind, isHit: false), error, &server)
    }
    return true
  }

  /// Reads and checks the name of the counter. The key becomes the label of an image that has none.
  private mutating func readImageName(
    _ request: Request, key: Range<Int>?, isHit: Bool, _ bytes: Span<UInt8>,
    _ options: inout ImageOptions
  ) throws(Problem) {
    try name.setNamespace(request.parameters[0], of: bytes)
    if let key {
      try name.setKey(key, of: bytes, .query)
    } else {
      try name.setKey(request.parameters[1], of: bytes, .path)
    }
    do throws(ImageError) {
      try options.setDefaultLabel(name.key)
    } catch {
      throw .image(error)
    }
    try access.checkNamespace(name)
    if isHit { try access.checkOrigin(of: bytes.extracting(request.header), name) }
  }
}

// MARK: - Responses

extension CounterService {
  /// Responds with an image of the outcome of a visit.
  mutating func respondImage(
    _ image: borrowing PendingImage, _ result: Outcome.Result, _ server: inout Server
  ) {
    let isDelivered: Bool
    if let number = result.value {
      imageText.draw(image, number)
      isDelivered = imageText.respond(image, &imageAnswers, &server)
      figures.images.record(.shown, isDelivered: isDelivered)
    } else {
      let problem = Problem(result) ?? .unavailable
      imageText.draw(image, problem)
      isDelivered = imageText.respond(image, &imageAnswers, &server)
      figures.images.record(
        problem == .unavailable ? .unavailable : .refused, isDelivered: isDelivered)
    }
    recordImage(image, result, isDelivered)
  }

  /// Responds to all images whose time is over. Their visits may still be counted.
  @inline(never)
  mutating func respondLateImages(_ server: inout Server) {
    while let image = images.removeExpired(now) {
      imageText.draw(image, .unavailable)
      let isDelivered = imageText.respond(image, &imageAnswers, &server)
      figures.images.record(.late, isDelivered: isDelivered)
      recordImage(image, .unavailable, isDelivered)
    }
  }

  /// Responds with the image of a problem, because a request is not carried out.
  private mutating func refuseImage(
    _ image: borrowing PendingImage, _ problem: Problem, _ server: inout Server
  ) {
    imageText.draw(image, problem)
    let isDelivered = imageText.respond(image, &imageAnswers, &server)
    figures.images.record(.refused, isDelivered: isDelivered)
  }

  /// Records what became of the visit of an image.
  private func recordImage(
    _ image: borrowing PendingImage, _ result: Outcome.Result, _ isDelivered: Bool
  ) {
    if image.isHit {
      figures.hits.record(result, isDelivered: isDelivered)
    } else {
      figures.reads.add(1)
    }
  }
}
