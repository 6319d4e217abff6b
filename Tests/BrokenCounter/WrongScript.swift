import Counting

/// The ways in which this program counts wrong: `--wrong NAME`. Each but the first is the right script
/// with one mistake.
enum WrongScript: String, CaseIterable {
  /// Ignores the claim: a batch that is sent again counts again, as with a client that repeats INCR after
  /// a lost reply. It knows additions only. This is the default.
  case withoutClaim

  /// Forgets the claim: it writes the record, and does not read it. Any fault that loses a reply shows
  /// it.
  case claim

  /// Splits the write in two: the counters are on disk first, the record is not.
  ///
  /// The plain split, a write for the counters and one for the record, would not be noticed when
  /// redis-server is killed: Redis runs both before anything else, and hands the two to the kernel in one
  /// system call, between MULTI and EXEC. A kill does not tear that, only a power cut does. Two scripts
  /// of one batch can be torn by a kill, but a batch is one script. So the record is written here without
  /// being logged (`redis.set_repl`), which is what the disk holds when a kill comes between two such
  /// scripts. All is right until Redis is killed between a batch and its reply; then the batch that is
  /// sent again counts again.
  case split

  /// Mixes up two counters of a batch: they are counted correctly, and the visits of each are answered
  /// the number of the other. A batch of several counters shows it, and no fault is needed.
  case mixed

  var script: BatchScript {
    switch self {
    case .withoutClaim: BatchScript(text: Self.additions, digest: digest)
    case .claim: derive("if number == ARGV[1] then return outcomes end", "")
    case .split:
      derive(
        "redis.call('MSET', KEYS[1], ARGV[1] .. ' ' .. reply, unpack(writes))",
        """
        if #writes > 0 then redis.call('MSET', unpack(writes)) end
        redis.set_repl(redis.REPL_NONE)
        redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. reply)
        """)
    case .mixed:
      derive(
        "local reply = table.concat(outcomes, ' ')",
        """
        if #outcomes > 1 then outcomes[1], outcomes[2] = outcomes[2], outcomes[1] end
        local reply = table.concat(outcomes, ' ')
        """)
    }
  }

  /// The SHA-1 of the script's text.
  private var digest: String {
    switch self {
    case .withoutClaim: "4868f34d091095c6277840968bb21918af6a3540"
    case .claim: "3e146766e1214571f82c447f50e65c363a703847"
    case .split: "717880513f7409773e84c9c61e3c3fd25e4cf200"
    case .mixed: "d6ef95ce4450f767dc2a9d4ba35219309005a13b"
    }
  }

  /// The right script with one part of it replaced.
  private func derive(_ part: String, _ replacement: String) -> BatchScript {
    let text = BatchScript.exactlyOnce.text
    precondition(text.contains(part), "the script no longer holds: \(part)")
    return BatchScript(text: text.replacing(part, with: replacement), digest: digest)
  }

  private static let additions = """
    local totals = {}
    for i = 2, #KEYS do
      redis.call('INCRBY', KEYS[i], ARGV[i])
      totals[#totals + 1] = redis.call('GET', KEYS[i])
    end
    return table.concat(totals, ' ')
    """
}
