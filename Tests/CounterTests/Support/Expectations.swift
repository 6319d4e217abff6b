import Testing

@testable import TestSupport

/// Every visit was answered with a number of its own, in order, and Redis counts just those.
func expectExact(
  _ tally: Tally, in redis: RedisProcess, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let count = try #require(Int64(redis.hits ?? "0"), sourceLocation: sourceLocation)
  let findings = Findings(tally, count: count)
  #expect(findings.isExact, "\(findings) \(Set(tally.failures))", sourceLocation: sourceLocation)
}

/// The answer to a visit whose number cannot be had in time.
func expectUnavailable(
  _ response: HTTPResponse, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(response.status == 503, sourceLocation: sourceLocation)
  #expect(response["Retry-After"] == "1", sourceLocation: sourceLocation)
  #expect(
    response["Content-Type"]?.hasPrefix("text/plain") == true, sourceLocation: sourceLocation)
  #expect(!response.body.isEmpty, sourceLocation: sourceLocation)
  #expect(
    !response.body.dropLast().contains("\n"), "one line", sourceLocation: sourceLocation)
  #expect(!response.closes, "the connection stays usable", sourceLocation: sourceLocation)
  for internals in ["127.0.0.1", "hiredis", "ERR", "EVAL"] {
    #expect(!response.body.contains(internals), sourceLocation: sourceLocation)
  }
}

/// The counter did not start and said why in one line.
func expectRefusal(
  by counter: ChildProcess, code: Int32, naming name: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let errors = counter.errors
  #expect(counter.exitCode == code, "\(errors)", sourceLocation: sourceLocation)
  #expect(errors.split(separator: "\n").count == 1, sourceLocation: sourceLocation)
  #expect(errors.contains(name), sourceLocation: sourceLocation)
  #expect(counter.output.isEmpty, sourceLocation: sourceLocation)
}
