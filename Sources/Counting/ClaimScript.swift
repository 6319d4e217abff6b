/// The script that adds a batch to a counter and records its claim, in one atomic step.
///
/// KEYS: the counter, the writer's claim. ARGV: the batch's sequence number, its amount. It returns the
/// counter's new value, as text.
///
/// It writes with a single command, for two reasons. An error means that nothing was counted, whatever
/// Redis refused. And Redis (7.0 and later) logs a single command as it is, but several between MULTI
/// and EXEC. When a crash tears its log in there, it forgets the transaction and leaves half of it in the
/// file, where it becomes a part of the next one and is carried out after another restart. That counted
/// batches twice. (Valkey mended it: https://github.com/valkey-io/valkey/pull/4342.)
///
/// A Lua number is exact to 2^53 only, so the last twelve digits of a longer count are added by
/// themselves.
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
      local count = redis.call('GET', KEYS[1]) or '0'
      local sign, digits = string.match(count, '^(%-?)(%d+)$')
      local length = digits and not string.find(digits, '^0.') and #digits or 20
      local total
      if length < 16 then
        total = string.format('%.0f', count + ARGV[2])
      elseif length < 20 then
        local low = string.sub(digits, -12) + (sign .. ARGV[2])
        local high = string.sub(digits, 1, -13) + math.floor(low / 1e12)
        local sum = string.format('%.0f%012.0f', high, low % 1e12)
        if #sum < 19 or #sum == 19 and sum <= '9223372036854775807' then
          total = sign .. sum
        end
      end
      if not total then
        return redis.error_reply('ERR the count is not an integer, or leaves no room for more')
      end
      redis.call('MSET', KEYS[1], total, KEYS[2], ARGV[1] .. ' ' .. total)
      return total
      """

    /// The SHA-1 of the text, by which Redis knows it once it has seen it (EVALSHA). A test compares
    /// it with what Redis says.
    static let digest = "cd9c7d1cef9658e607c021cee1414679e3b32de7"
  #endif

  /// The script that registers a writer, on each connection before the first batch. KEYS: its claim;
  /// ARGV: the claim's life in milliseconds.
  ///
  /// It writes twice, so that Redis logs an EXEC. A transaction that was torn in the log, whosesoever it
  /// was, ends there, and what comes behind it is not taken for a part of it.
  static let registration = """
    redis.call('MSET', KEYS[1], redis.call('GET', KEYS[1]) or '0 0')
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
    """
}
