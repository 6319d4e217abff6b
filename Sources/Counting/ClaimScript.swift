/// The script that adds a batch to a counter and records its claim, in one atomic step.
///
/// KEYS: the counter, the writer's claim. ARGV: the batch's sequence number, its amount, the claim's
/// life in milliseconds. It returns the counter's new value, as text: a Lua number is exact only
/// to 2^53.
///
/// An error must mean that nothing was counted. So what could make Redis refuse happens before INCRBY,
/// or is INCRBY; only the record comes after it, and where this user may not write that, the amount is
/// taken back.
enum ClaimScript {
  #if COUNT_WITHOUT_CLAIM
    /// What a client does that sends INCR again when it gets no answer. It miscounts, and is built
    /// only to show that the chaos suite would notice.
    static let text = "redis.call('INCRBY', KEYS[1], ARGV[2]) return redis.call('GET', KEYS[1])"
    static let digest = "e0579f627c521619ca5f3ba419e6660f3a32fac2"
  #else
    static let text = """
      local recorded = redis.call('GET', KEYS[2])
      if recorded then
        local sequence, total = string.match(recorded, '^(%d+) (.*)$')
        if sequence == ARGV[1] then return total end
        if tonumber(sequence) > tonumber(ARGV[1]) then
          return redis.error_reply('STALE a later batch of this writer was counted')
        end
      end
      local total = redis.call('INCRBY', KEYS[1], ARGV[2])
      if math.abs(total) < 2 ^ 53 then
        total = string.format('%.0f', total)
      else
        total = redis.call('GET', KEYS[1])
      end
      local written = redis.pcall('SET', KEYS[2], ARGV[1] .. ' ' .. total, 'PX', ARGV[3])
      if written.err then
        redis.call('INCRBY', KEYS[1], '-' .. ARGV[2])
        return written
      end
      return total
      """

    /// The SHA-1 of the text, by which Redis knows it once it has seen it (EVALSHA). A test compares
    /// it with what Redis says.
    static let digest = "3860068adf4d0d8f0bfc340dad0d5baf63f3acd1"
  #endif
}
