/// The script that adds a batch to a counter and records its claim, in one atomic step.
///
/// KEYS: the counter, the writer's claim. ARGV: the batch's sequence number, its amount, the claim's
/// life in milliseconds. It returns the counter's new value, as text: a Lua number is exact only
/// to 2^53.
///
/// An error must mean that nothing was counted. So whatever could make Redis refuse happens before
/// INCRBY, or is INCRBY: a writer's first record is written once beforehand, to learn whether this
/// user may write it.
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
      if not recorded then redis.call('SET', KEYS[2], '0 ', 'PX', ARGV[3]) end
      local total = redis.call('INCRBY', KEYS[1], ARGV[2])
      if math.abs(total) < 2 ^ 53 then
        total = string.format('%.0f', total)
      else
        total = redis.call('GET', KEYS[1])
      end
      redis.call('SET', KEYS[2], ARGV[1] .. ' ' .. total, 'PX', ARGV[3])
      return total
      """

    /// The SHA-1 of the text, by which Redis knows it once it has seen it (EVALSHA). A test compares
    /// it with what Redis says.
    static let digest = "96e4973efac8c756ba4912c24af483e54fdc478a"
  #endif
}
