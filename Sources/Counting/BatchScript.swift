/// The Lua script that Redis runs for each batch. Tests replace it by a wrong one.
package struct BatchScript: Sendable {
  /// What EVAL sends.
  package let text: String

  /// The SHA-1 of the text in hexadecimal, which EVALSHA sends in its place.
  package let digest: String

  /// A script that keeps to the same arguments and reply as `exactlyOnce`.
  package init(text: String, digest: String) {
    self.text = text
    self.digest = digest
  }
}

extension BatchScript {
  /// Carries out each batch exactly once, however often it is sent.
  ///
  /// KEYS: the claim's record, then the counter of each operation, in order. A counter can come again.
  /// ARGV: the number of the batch, then a step for each operation, then the most counters that may be, and
  /// on a Redis Cluster the number of the batch's only bucket plus 1. The steps:
  ///
  /// - `5` or `-5` adds, and `0` only reads;
  /// - `=5` sets, and `*5` sets a counter that does not exist;
  /// - `x` removes;
  /// - `@5` adds unless the record of an idempotency key says that it was done. The record is the next
  ///   element of KEYS, with an empty element of ARGV.
  ///
  /// The reply is one string: the outcome of each operation, separated by blanks, in the words of
  /// `OperationOutcome`.
  ///
  /// - An operation is refused, and nothing else is disturbed, when its key holds another type or no
  ///   integer, by the rules of INCRBY; when its total leaves 64 bits; or when it would make one counter
  ///   too many.
  /// - After any other error of GET nothing is written, and the error is the reply.
  /// - A value is checked before it becomes an outcome, also when it is only read: a text with a blank
  ///   would shift the outcomes behind it.
  /// - A removed counter holds an empty text until `RemovalScript` has deleted it, and an empty text is
  ///   as good as no key in a bucket. `hits` is never removed.
  /// - Counters with names are in buckets, and `{BUCKET}:counters` holds how many there are in a bucket. It
  ///   is written with them. A script that makes a counter adds up the numbers of all buckets; on a Redis
  ///   Cluster, where the others are on other nodes, it looks at its own.
  /// - A batch that only adds and reads leaves no record if it changes nothing. Sent again it is carried
  ///   out again, which is as right: nothing was changed, and a hit that was refused adds at most one.
  ///   Any other batch is recorded in any case: a late copy of a removal that found no counter must not
  ///   remove one that was made later.
  /// - What nearly all batches are, hits and reads of different counters, is tried first: it halves the time
  ///   that Redis takes for them. Anything else leaves that part before something is written, and begins
  ///   anew with the values that were read.
  /// - MGET returns nil for a list as for no key. So EXISTS is asked for the keys without a text, and GET where
  ///   that finds one, or MSET would overwrite a list.
  /// - A Lua number is exact up to 2^53 only. Longer values are added in two parts, the last twelve
  ///   digits and those before them.
  package static let exactlyOnce = BatchScript(
    text: """
      local record = redis.call('GET', KEYS[1])
      if record then
        local number, outcomes = string.match(record, '^(%d+) (.*)$')
        if number == ARGV[1] then return outcomes end
        if tonumber(number) > tonumber(ARGV[1]) then
          return redis.error_reply('STALE a later batch of this writer was counted')
        end
      end
      local find, format = string.find, string.format
      local function get(key)
        local value = redis.pcall('GET', key)
        if value == '' and not find(key, '^{%d+}:') then return '!' end
        if type(value) ~= 'table' then return value or '' end
        if find(value.err, 'WRONGTYPE', 1, true) then return '!' end
        return redis.call('GET', key)
      end
      local sizeKeys, sizes, total
      local function sumSizes()
        sizeKeys = {
          '{0}:counters', '{1}:counters', '{2}:counters', '{3}:counters',
          '{4}:counters', '{5}:counters', '{6}:counters', '{7}:counters',
          '{8}:counters', '{9}:counters', '{10}:counters', '{11}:counters',
          '{12}:counters', '{13}:counters', '{14}:counters', '{15}:counters',
        }
        local own = tonumber(ARGV[#KEYS + 2])
        if own then
          total = tonumber(get(sizeKeys[own])) or 0
          sizes = {[own] = total}
          return
        end
        sizes, total = redis.pcall('MGET', unpack(sizeKeys)), 0
        for i = 1, 16 do
          sizes[i] = tonumber(sizes.err and get(sizeKeys[i]) or sizes[i] or 0) or 0
          total = total + sizes[i]
        end
      end
      local function bucket(key)
        local number = string.match(key, '^{(%d+)}:')
        return number and number + 1
      end
      local found = redis.pcall('MGET', unpack(KEYS, 2))
      local writes, outcomes, seen, new, places, isPlain = {}, {}, {}, {}, {}, true
      for i = 2, #KEYS do
        local key, step, value = KEYS[i], ARGV[i], found[i - 1]
        local isRead = step == '0' and value
        isPlain = not seen[key]
          and (step == '1' or isRead or #step < 15 and find(step, '^[1-9]%d*$'))
          and (not value or #value < 15 and find(value, '^[1-9]%d*$'))
        if not isPlain then break end
        seen[key] = true
        if not value then
          new[#new + 1] = key
          places[#new] = i - 1
        else
          local total = isRead and value or format('%d', value + (step == '1' and 1 or step))
          outcomes[i - 1] = total
          if not isRead then
            writes[#writes + 1] = key
            writes[#writes + 1] = total
          end
        end
      end
      if isPlain and #new > 0 then
        local changed, isFull = {}, false
        if #new > 1 or bucket(new[1]) then
          sumSizes()
          local limit = tonumber(ARGV[#KEYS + 1])
          isFull = total >= limit
          isPlain = isFull or total + #new <= limit
        end
        isPlain = isPlain and redis.pcall('EXISTS', unpack(new)) == 0
        for i, key in ipairs(new) do
          if isFull and string.sub(key, 1, 1) == '{' then
            outcomes[places[i]] = '#'
          else
            local step, size = ARGV[places[i] + 1], bucket(key)
            outcomes[places[i]] = '+' .. step
            writes[#writes + 1] = key
            writes[#writes + 1] = step
            if size then changed[size] = (changed[size] or sizes[size]) + 1 end
          end
        end
        for i, size in pairs(changed) do
          writes[#writes + 1] = sizeKeys[i]
          writes[#writes + 1] = format('%d', size)
        end
      end
      if isPlain then
        local reply = table.concat(outcomes, ' ')
        if #writes > 0 then
          redis.call('MSET', KEYS[1], ARGV[1] .. ' ' .. reply, unpack(writes))
        end
        return reply
      end
      local function isInteger(text)
        if #text < 19 then return text == '0' or find(text, '^%-?[1-9]%d*$') end
        local sign, digits = string.match(text, '^(%-?)([1-9]%d*)$')
        local largest = sign == '-' and '9223372036854775808' or '9223372036854775807'
        return digits and (#digits < 19 or #digits == 19 and digits <= largest)
      end
      local function split(integer)
        local sign, digits = string.match(integer, '^(%-?)(%d+)$')
        return sign .. '0' .. string.sub(digits, 1, -13), sign .. string.sub(digits, -12)
      end
      local function sum(value, amount)
        if #value < 16 and #amount < 16 then return format('%.0f', value + amount) end
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
        local total = sign .. format('%.0f', low)
        if high > 0 then total = sign .. format('%.0f%012.0f', high, low) end
        return isInteger(total) and total
      end
      local values, places, isRecorded = {}, {}, false
      writes, outcomes = {}, {}
      local function write(key, value)
        values[key] = value
        local place = places[key]
        if not place then
          place = #writes + 2
          places[key] = place
          writes[place - 1] = key
        end
        writes[place] = value
      end
      local function count(key, change)
        local i = bucket(key)
        if not i then return true end
        if not sizes then sumSizes() end
        if change > 0 and total >= tonumber(ARGV[#KEYS + 1]) then return false end
        total = total + change
        sizes[i] = sizes[i] + change
        write(sizeKeys[i], format('%.0f', sizes[i]))
        return true
      end
      local function set(key, value, new)
        if value ~= '' then
          write(key, new)
          return new
        end
        if not count(key, 1) then return '#' end
        write(key, new)
        return '+' .. new
      end
      local function add(key, value, amount)
        if amount == '0' then return value == '' and '-' or value end
        if value == '' then return set(key, value, amount) end
        local new = sum(value, amount)
        if not new then return '^' .. value end
        write(key, new)
        return new
      end
      local function carryOut(key, value, step, record)
        local kind, number = string.sub(step, 1, 1), string.sub(step, 2)
        isRecorded = true
        if value == '!' then return '!' end
        if kind == '=' then return set(key, value, number) end
        if kind == '*' then return value == '' and set(key, value, number) or '=' .. value end
        if kind == 'x' then
          if value == '' then return '-' end
          count(key, -1)
          write(key, '')
          return value
        end
        local done = values[record] or get(record)
        if done ~= '' then
          local amount, result = string.match(done, '^(%S+) (%S+)$')
          return amount == number and '@' .. result or '~'
        end
        local outcome = add(key, value, number)
        local result = string.match(outcome, '^%+?(%-?%d+)$')
        if result then write(record, number .. ' ' .. result) end
        return outcome
      end
      for i = 2, #KEYS do
        local key, step = KEYS[i], ARGV[i]
        if step ~= '' then
          local value = values[key]
          if not value then
            value = found[i - 1] or ''
            if value == '' then value = get(key) end
            if value ~= '' and not isInteger(value) then value = '!' end
            values[key] = value
          end
          local outcome
          if find(step, '^%-?%d') then
            outcome = value == '!' and '!' or add(key, value, step)
          else
            outcome = carryOut(key, value, step, KEYS[i + 1])
          end
          outcomes[#outcomes + 1] = outcome
        end
      end
      local reply = table.concat(outcomes, ' ')
      if isRecorded or #writes > 0 then
        redis.call('MSET', KEYS[1], ARGV[1] .. ' ' .. reply, unpack(writes))
      end
      return reply
      """,
    digest: "374b27a61127b7b5fb7f0c8036d9f4b3e7922dbc")
}

/// The Lua script that deletes removed counters, pipelined behind the batch that removed them.
///
/// KEYS: the counters. Only those are deleted that are still empty, so the script can be sent again, and
/// a counter that was made anew in between stays. It is one write; see `Claim`. An error has no
/// consequence but that empty texts stay.
enum RemovalScript {
  static let text = """
    local empty = {}
    for i = 1, #KEYS do
      if redis.pcall('GET', KEYS[i]) == '' then empty[#empty + 1] = KEYS[i] end
    end
    if #empty > 0 then redis.pcall('DEL', unpack(empty)) end
    return 'OK'
    """
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

/// The Lua script that puts a record's expiry off, with two writes that Redis logs with an EXEC; see `Claim`.
///
/// KEYS: the record; without it nothing is written. ARGV: its life in milliseconds.
enum RenewalScript {
  static let text = """
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
    return redis.call('PEXPIRE', KEYS[1], ARGV[1])
    """
}
