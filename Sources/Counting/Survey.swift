import Redis

/// What Redis says of itself and of the counters in it.
package struct Survey: Equatable, Sendable {
  /// How many counters with names there are.
  package let counters: Int64

  /// What may break a promise.
  package let risks: Set<Risk>

  /// A way in which this Redis is set up that may break a promise.
  package enum Risk: String, CaseIterable, Sendable {
    /// It evicts keys when its memory is full (`maxmemory-policy` other than `noeviction`).
    case eviction
    /// It writes no append-only file, so a crash loses numbers that were answered.
    case persistence
    /// It is older than 7.0, and logs a write of a script as a transaction, half of which a crash can leave.
    case version
  }

  /// Asks for a survey. INFO needs no rights that providers withhold; without it, no risk is known.
  static let command = Command(["EVAL", script, "0"])

  /// Asks a node of a Redis Cluster for a survey of a bucket.
  static func command(bucket: Int) -> Command {
    Command(["EVAL", script, "1", Claim.sizeKey(ofBucket: bucket)])
  }

  private static let script = """
    local keys, total = KEYS, 0
    if #keys == 0 then
      keys = {}
      for i = 0, 15 do keys[i + 1] = '{' .. i .. '}:counters' end
    end
    for _, key in ipairs(keys) do
      local count = redis.pcall('GET', key)
      total = total + (type(count) == 'string' and tonumber(count) or 0)
    end
    local info = redis.pcall('INFO')
    if type(info) ~= 'string' then info = '' end
    local lines = {string.format('%.0f', total)}
    for _, name in ipairs({'redis_version', 'maxmemory_policy', 'aof_enabled'}) do
      lines[#lines + 1] = string.match(info, name .. ':([^\\r\\n]*)') or ''
    end
    return table.concat(lines, '\\n')
    """

  /// - Returns: nil when Redis refused the command.
  init?(_ reply: borrowing Reply) {
    guard reply.error == nil else { return nil }
    self.init(text: reply.text)
  }

  /// The survey of a Redis Cluster, from those of its buckets; nil when there is none.
  init?(of parts: [Survey]) {
    guard !parts.isEmpty else { return nil }
    counters = parts.reduce(0) { $0 + $1.counters }
    risks = parts.reduce(into: []) { $0.formUnion($1.risks) }
  }

  init?(text: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count == 4, let counters = Int64(lines[0]) else { return nil }
    var risks: Set<Risk> = []
    if let major = lines[1].split(separator: ".").first.flatMap({ Int($0) }), major < 7 {
      risks.insert(.version)
    }
    if !lines[2].isEmpty, lines[2] != "noeviction" { risks.insert(.eviction) }
    if lines[3] == "0" { risks.insert(.persistence) }
    self.counters = counters
    self.risks = risks
  }
}
