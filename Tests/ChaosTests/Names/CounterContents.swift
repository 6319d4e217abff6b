@testable import TestSupport

/// The counters with names that Redis holds.
struct CounterContents {
  /// The number of each counter, by its name.
  private(set) var numbers: [String: Int64] = [:]

  /// How many buckets do not have as many counters as Redis has written down.
  private(set) var miscountedBuckets = 0

  /// - Parameter nodes: the Redis, or all primaries of a Redis Cluster.
  init(_ nodes: [RedisProcess]) throws {
    var counts: [Substring: Int] = [:]
    var written: [Substring: Int] = [:]
    let texts = try nodes.map { node in
      guard case .text(let text) = try node.command("EVAL", Self.script, "0") else {
        throw NeverHappened(description: "Redis does not list its counters")
      }
      return text
    }
    for line in texts.joined(separator: "\n").split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 3 else {
        throw NeverHappened(description: "Redis lists a counter as \(line)")
      }
      if words[1] == "counters" {
        written[words[0]] = Int(words[2])
      } else {
        numbers[String(words[1])] = Int64(words[2])
        counts[words[0], default: 0] += 1
      }
    }
    miscountedBuckets = Set(counts.keys).union(written.keys).count {
      counts[$0, default: 0] != written[$0, default: 0]
    }
  }

  /// A line each: the bucket, the name and the number. A counter that was removed holds an empty text until
  /// it is deleted.
  private static let script = """
    local lines = {}
    for _, key in ipairs(redis.call('KEYS', '{*}:*')) do
      local bucket, name = string.match(key, '^({%d+}):(.*)$')
      local isOther = name and not string.find(name, '/', 1, true) and name ~= 'counters'
      if bucket and string.sub(name, 1, 5) ~= 'once:' and not isOther then
        local number = redis.call('GET', key)
        if number ~= '' then lines[#lines + 1] = bucket .. ' ' .. name .. ' ' .. number end
      end
    end
    return table.concat(lines, '\\n')
    """
}
