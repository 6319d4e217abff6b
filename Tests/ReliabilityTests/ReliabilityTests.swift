import Testing

/// Load and hostile clients, each with a figure; docs/reliability.md shows those of a full run.
///
/// One after the other, for each takes the machine's measure.
@Suite("Reliability", .serialized)
struct ReliabilityTests {}
