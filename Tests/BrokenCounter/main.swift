import CounterApp
import Counting
import Glibc

// The ordinary program with a script that ignores the claim: a batch that is sent again counts again, as
// with a client that repeats INCR after a lost reply. It shows that the chaos suite notices.

let withoutClaim = BatchScript(
  text: """
    local totals = {}
    for i = 2, #KEYS do
      redis.call('INCRBY', KEYS[i], ARGV[i])
      totals[#totals + 1] = redis.call('GET', KEYS[i])
    end
    return table.concat(totals, ' ')
    """,
  digest: "4868f34d091095c6277840968bb21918af6a3540")

/// The settings that the chaos suite passes: `--name value` each.
func makeConfiguration() throws -> Configuration {
  let words = CommandLine.arguments.dropFirst()
  var values: [Substring: String] = [:]
  for (name, value) in zip(words, words.dropFirst()) where name.hasPrefix("--") {
    values[name.dropFirst(2)] = value
  }
  var flags = Configuration.Flags()
  flags.host = values["host"]
  flags.port = values["port"]
  flags.redis = values["redis"]
  flags.threads = values["threads"]
  flags.visitTimeout = values["visit-timeout"]
  flags.metricsPort = "0"
  return try Configuration(flags, environment: { _ in nil })
}

var application = try Application(makeConfiguration(), script: withoutClaim)
_ = try application.run()
