// What is said to a sentinel on one connection
// (https://redis.io/docs/latest/develop/reference/sentinel-clients/):
//
//   AUTH [user] password                      with credentials only
//   SENTINEL GET-MASTER-ADDR-BY-NAME name  →  host and port, or nil
//   SUBSCRIBE +switch-master               →  then a message for each primary that moves:
//                                             name old-host old-port new-host new-port
//   PING                                      each second
//
// All but the pings are sent at once. So no switch is missed between the answer and the subscription.

import DequeModule
import System

/// A conversation with one sentinel, which tells where the primary is and where it moves to.
struct SentinelConversation: ~Copyable {
  private var link: Link
  private let poller: Poller
  private let token: Token
  private let name: String
  private var state: State

  /// When `tick` has to be called: the deadline of the state.
  private(set) var deadline: Instant

  private enum State {
    /// The socket is being connected.
    case connecting(since: Instant)
    /// The TLS handshake goes on.
    case handshaking(since: Instant)
    /// The answer is not there.
    case asking(since: Instant)
    /// The subscription is not confirmed.
    case subscribing
    /// The primary has not moved. At the deadline the sentinel is pinged.
    case listening
    /// The reply to a ping is not there.
    case pinging
  }

  /// - Parameter link: is being connected, and watched under the token.
  init(
    on link: consuming Link, name: String, _ poller: Poller, _ token: Token,
    _ timer: borrowing RetryTimer, _ now: Instant
  ) {
    self.link = link
    self.poller = poller
    self.token = token
    self.name = name
    state = .connecting(since: now)
    deadline = now + min(timer.timeout, RedisConnection.longestConnecting)
  }

  deinit {
    // Closing the socket removes it from the poller only when no child process holds a copy.
    poller.remove(link.descriptor)
  }

  /// Whether the sentinel has not told the primary yet.
  var isAsking: Bool {
    switch state {
    case .connecting, .handshaking, .asking: true
    case .subscribing, .listening, .pinging: false
    }
  }

  /// Whether the sentinel has answered a ping: it serves listeners.
  private(set) var isSteady = false

  /// Handles an event on the socket; `nextPrimary` has to be called after it.
  mutating func handleReadiness(
    _ readiness: Readiness, _ credentials: Credentials, _ timer: inout RetryTimer, _ now: Instant
  ) throws(RedisError) {
    switch state {
    case .connecting(let since):
      if let error = link.connectionError { throw .system(error) }
      timer.recordConnecting(after: now - since)
      if link.isEncrypted { (state, deadline) = (.handshaking(since: now), now + timer.timeout) }
      try ask(since: now, credentials, &timer, now)
    case .handshaking(let since):
      try ask(since: since, credentials, &timer, now)
    case .asking, .subscribing, .listening, .pinging:
      try link.handleReadiness(readiness, poller, token)
    }
  }

  /// Sends the question, once the handshake of an encrypted connection is finished.
  private mutating func ask(
    since start: Instant, _ credentials: Credentials, _ timer: inout RetryTimer, _ now: Instant
  ) throws(RedisError) {
    guard try link.finishHandshake(poller, token) else { return }
    timer.recordConnecting(after: now - start)
    (state, deadline) = (.asking(since: now), now + timer.timeout)
    try send(question(credentials))
  }

  private func question(_ credentials: Credentials) -> Command {
    var question = Command(["SENTINEL", "GET-MASTER-ADDR-BY-NAME", name])
    question.pipeline(Command(["SUBSCRIBE", "+switch-master"]))
    guard var authentication = credentials.command else { return question }
    authentication.pipeline(question)
    return authentication
  }

  /// The next address of the primary that the sentinel has told, by its answer or by a message; nil while
  /// there is none.
  mutating func nextPrimary(
    _ timer: inout RetryTimer, _ now: Instant
  ) throws(RedisError) -> HostPort? {
    while let reply = try link.reader.nextReply() {
      if reply.elementCount == 3, reply.text(at: 0) == "message" {
        if let primary = primary(movedBy: reply.text(at: 2) ?? "") { return primary }
      } else if let primary = try handleReply(reply, &timer, now) {
        return primary
      }
    }
    return nil
  }

  /// The new address in the text of a message; nil when it is about another primary.
  private func primary(movedBy text: String) -> HostPort? {
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 5, words[0] == name, let port = UInt16(words[4]), port > 0 else {
      return nil
    }
    return HostPort(host: String(words[3]), port: port)
  }

  private mutating func handleReply(
    _ reply: borrowing Reply, _ timer: inout RetryTimer, _ now: Instant
  ) throws(RedisError) -> HostPort? {
    guard link.replies.popFirst() != nil else { throw .malformedReply("a reply to nothing") }
    if let error = reply.error { throw .refused(error) }
    switch (state, link.replies.count) {
    case (.asking(let since), 1):
      // The subscription is still to be confirmed.
      timer.recordReply(after: now - since)
      let primary = try primary(in: reply)
      state = .subscribing
      return primary
    case (_, 0):
      if case .pinging = state { isSteady = true }
      (state, deadline) = (.listening, now + RedisConnection.pingInterval)
    default:
      break
    }
    return nil
  }

  private func primary(in reply: borrowing Reply) throws(RedisError) -> HostPort {
    if reply.isNil { throw .refused("it does not know \(name)") }
    guard reply.elementCount == 2, let host = reply.text(at: 0), !host.isEmpty,
      let port = reply.text(at: 1).flatMap(UInt16.init), port > 0
    else { throw .malformedReply("no address") }
    return HostPort(host: host, port: port)
  }

  /// Does what is due at the deadline.
  mutating func tick(_ timer: inout RetryTimer, _ now: Instant) throws(RedisError) {
    guard now >= deadline else { return }
    guard case .listening = state else {
      timer.recordExpiry()
      if case .handshaking = state { throw .tls(.handshakeTimedOut) }
      throw .timedOut
    }
    (state, deadline) = (.pinging, now + timer.timeout)
    try send(Command(["PING"]))
  }

  private mutating func send(_ command: borrowing Command) throws(RedisError) {
    link.append(command, replyTo: .connection)
    try link.flush(poller, token)
  }
}
