/// The Lua script that Redis runs for each batch. Tests replace it by a wrong one.
package struct BatchScript: Sendable {
  /// What EVAL sends.
  let text: String

  /// The SHA-1 of the text in hexadecimal, which EVALSHA sends in its place.
  let digest: String

  /// A script that keeps to the same arguments and reply as `exactlyOnce`.
  package init(text: String, digest: String) {
    self.text = text
    self.digest = digest
  }
}

extension BatchScript {
  /// Adds each batch exactly once, however often it is sent.
  ///
  /// KEYS: the claim's record, then the counters, each once. ARGV: the number of the batch, then an
  /// amount for each counter; a counter with the amount 0 is only read. The reply is one string: the
  /// total of each counter after the batch, separated by blanks, and `!` for a refused counter.
  ///
  /// - A counter is refused when its key holds another type or no integer, by the rules of INCRBY, or
  ///   when its total leaves 64 bits. The other counters of the batch are added nevertheless.
  /// - After any other error of GET nothing is written, and the error is the reply.
  /// - A value is checked before it becomes a total, also when it is only read: a text with a blank
  ///   would shift the totals behind it.
  /// - A batch that changes no counter leaves no record. Sent again it is evaluated again, which is as
  ///   right: nothing was added, and the totals are those of a moment at which its visits waited.
  /// - GET for each key, not MGET: MGET returns nil for a list, and MSET would overwrite it.
  /// - A Lua number is exact up to 2^53 only. Longer values are added in two parts, the last twelve
  ///   digits and those before them.
  package static let exactlyOnce = BatchScript(
    text: """
      local record = redis.call('GET', KEYS[1])
      if record then
        local number, totals = string.match(record, '^(%d+) (.*)$')
        if number == ARGV[1] then return totals end
        if tonumber(number) > tonumber(ARGV[1]) then
          return redis.error_reply('STALE a later batch of this writer was counted')
        end
      end
      local function isInteger(text)
        if #text < 19 then return text == '0' or string.find(text, '^%-?[1-9]%d*$') end
        local sign, digits = string.match(text, '^(%-?)([1-9]%d*)$')
        local largest = sign == '-' and '9223372036854775808' or '9223372036854775807'
        return digits and (#digits < 19 or #digits == 19 and digits <= largest)
      end
      local function split(integer)
        local sign, digits = string.match(integer, '^(%-?)(%d+)$')
        return sign .. '0' .. string.sub(digits, 1, -13), sign .. string.sub(digits, -12)
      end
      local function add(value, amount)
        if not isInteger(value) then return nil end
        if #value < 16 and #amount < 16 then return string.format('%.0f', value + amount) end
        local valueHigh, valueLow = split(value)
        local amountHigh, amountLow = split(amount)
        local low = valueLow + amountLow
        local high = valueHigh + amountHigh + math.floor(low / 1e12)
        local sign = ''
        low = low % 1e12
        if high < 0 then
          sign, high = '-', -high
          if low > 0 then high, low = high - 1, 1e12 - low end
        end
        local total = sign .. string.format('%.0f', low)
        if high > 0 then total = sign .. string.format('%.0f%012.0f', high, low) end
        return isInteger(total) and total
      end
      local totals, writes = {}, {}
      for i = 2, #KEYS do
        local amount = ARGV[i]
        local value = redis.pcall('GET', KEYS[i]) or '0'
        local total
        if type(value) == 'string' then
          total = add(value, amount)
        elseif not string.find(value.err, 'WRONGTYPE', 1, true) then
          return value
        end
        if not total then
          total = '!'
        elseif amount ~= '0' then
          writes[#writes + 1] = KEYS[i]
          writes[#writes + 1] = total
        end
        totals[#totals + 1] = total
      end
      local reply = table.concat(totals, ' ')
      if #writes > 0 then
        redis.call('MSET', KEYS[1], ARGV[1] .. ' ' .. reply, unpack(writes))
      end
      return reply
      """,
    digest: "3c1393e6392eb6a1a469d2c2509ecc6d4d68a83f")
}

/// The Lua script that registers a writer, on each connection before its first batch.
///
/// KEYS: the claim's record. ARGV: the record's life in milliseconds, and the key of the index of
/// records.
///
/// The first two commands both write, so that Redis logs an EXEC: see `Claim`.
///
/// The rest gives an expiry to records that lost theirs, when Redis was killed between a batch and its
/// PEXPIRE and the writer never came back. The index is a sorted set of records by the time at which
/// they were last looked at. Each registration looks at the few oldest entries, if they are older than a
/// record's life: the record of a writer that is alive has an expiry by then, or gets a harmless one.
/// The index itself expires 30 lives of a record after the last registration.
/// The user of Redis may lack the rights for this part; then it does nothing. For the same reason the
/// index is no element of KEYS: EVAL would be refused.
enum RegistrationScript {
  static let text = """
    redis.call('MSET', KEYS[1], redis.call('GET', KEYS[1]) or '0 0')
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
    local time = redis.pcall('TIME')
    if time.err then return end
    local now = time[1] * 1000
    if type(redis.pcall('ZADD', ARGV[2], now, KEYS[1])) == 'table' then return end
    redis.pcall('PEXPIRE', ARGV[2], 30 * ARGV[1])
    local old = redis.pcall('ZRANGEBYSCORE', ARGV[2], 0, now - ARGV[1], 'LIMIT', 0, 16)
    for _, record in ipairs(old) do
      local life = redis.pcall('PTTL', record)
      if life == -2 then
        redis.pcall('ZREM', ARGV[2], record)
      elseif type(life) == 'number' then
        if life == -1 then redis.pcall('PEXPIRE', record, ARGV[1]) end
        redis.pcall('ZADD', ARGV[2], now, record)
      end
    end
    """
}
