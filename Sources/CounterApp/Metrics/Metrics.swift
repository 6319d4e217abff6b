import AccessLog
import Counting
import CLinux
import System
import Telemetry
import HTTP
import Redis

/// All figures of the program, in the format of Prometheus.
struct Metrics: Sendable {
  let loops: [LoopFigures]
  let log: LineWriter
  let accessLines: LineWriter?
  let shutdown: Shutdown
  let mostCounters: Int
  let mostStreams: Int
  private let startedAt = (monotonic: Instant.now, wallClock: timespec.wallClock)

  var text: String {
    var page = Exposition()
    describeProgram(&page)
    describeVisits(&page)
    describeCounters(&page)
    describeStreams(&page)
    describeRedis(&page)
    describeHTTP(&page)
    describeProcess(&page, startedAt.wallClock.tv_sec)
    return page.text
  }

  // Nothing here may trap: figures are read while event loops write them, and the reads of two
  // figures are not ordered.

  private func sum<Figure: FixedWidthInteger>(_ figure: (LoopFigures) -> Figure) -> Figure {
    loops.reduce(0) { $0 &+ figure($1) }
  }

  /// What is left of one figure without another; 0 when the other one was read later and is larger.
  private func difference(_ figure: UInt64, _ other: UInt64) -> UInt64 {
    figure > other ? figure &- other : 0
  }

  private func sum(_ figure: (LoopFigures) -> Histogram.Reading) -> Histogram.Reading {
    loops.dropFirst().reduce(into: figure(loops[0])) { $0 += figure($1) }
  }

  private static var nanoseconds: Double { 1e-9 }

  private func describeProgram(_ page: inout Exposition) {
    page.info("counter_build_info", "Which counter this is.", "version", Application.version)
    page.gauge(
      "counter_uptime_seconds", "Time since the start.",
      (Instant.now - startedAt.monotonic).seconds)
    page.gauge(
      "counter_draining", "1 while the counter stops, else 0.",
      shutdown.stage == .serving ? 0 : 1)
    page.gauge("counter_loops", "Event loops.", loops.count)
    page.counter(
      "counter_loop_rounds_total", "Rounds of all loops: waits for events that ended.",
      sum { $0.rounds.current })
    page.counter(
      "counter_log_lines_dropped_total", "Lines of the log that nobody read in time.",
      log.dropped.current)
  }

  private func describeVisits(_ page: inout Exposition) {
    page.counter(
      "counter_visits_total",
      "Visits by outcome: told their number, told that they could not be counted, or gone before.",
      by: "outcome",
      [
        ("counted", sum { $0.counted.current }),
        ("unavailable", sum { $0.unavailable.current }),
        ("abandoned", sum { $0.abandoned.current }),
      ])
    page.gauge(
      "counter_visits_waiting", "Visits that wait for their number.",
      sum { $0.counting.waiting.current })
    page.histogram(
      "counter_visit_duration_seconds", "From a visit's arrival to its answer.",
      sum { $0.counting.waits.reading }, unit: Self.nanoseconds)
    page.histogram(
      "counter_batch_size", "Visits that were counted or read with one command.",
      sum { $0.counting.batches.reading })
    page.histogram(
      "counter_batch_operations",
      "Operations of a batch: hits and reads of one counter are one, any other visit is one.",
      sum { $0.counting.operations.reading })
  }

  private func describeCounters(_ page: inout Exposition) {
    page.counter(
      "counter_hits_total",
      "Hits of counters with names by outcome: answered with their number, with that of the first time "
        + "or with a refusal, told that they could not be counted, or gone before.",
      by: "outcome",
      [
        ("counted", sum { $0.hits.counted.current }),
        ("replayed", sum { $0.hits.replayed.current }),
        ("refused", sum { $0.hits.refused.current }),
        ("unavailable", sum { $0.hits.unavailable.current }),
        ("abandoned", sum { $0.hits.abandoned.current }),
      ])
    page.counter(
      "counter_reads_total", "Requests that read counters with names.",
      sum { $0.reads.current })
    page.counter(
      "counter_images_total",
      "Images of counters by outcome: with their number, with the reason of a refusal, told that Redis did not "
        + "answer in time or within three seconds, or gone before.",
      by: "outcome",
      [
        ("shown", sum { $0.images.shown.current }),
        ("refused", sum { $0.images.refused.current }),
        ("unavailable", sum { $0.images.unavailable.current }),
        ("late", sum { $0.images.late.current }),
        ("abandoned", sum { $0.images.abandoned.current }),
      ])
    page.counter(
      "counter_changes_total", "Requests that set or remove a counter with a name.",
      sum { $0.changes.current })
    page.gauge(
      "counter_counters", "Counters with names in this Redis, looked at every 15 s.",
      sum { $0.counters.current })
    page.gauge(
      "counter_counters_limit", "How many counters with names there may be.", mostCounters)
    page.gauge(
      "counter_redis_risk",
      "1 while Redis evicts keys, writes no append-only file, or is older than 7.0, else 0.",
      by: "risk",
      Survey.Risk.allCases.map { risk in
        (risk.rawValue, sum { $0.risks.current(risk) })
      })
    page.gauge(
      "counter_keys_in_use", "Keys in Redis that waiting visits of counters with names need.",
      sum { $0.counting.knownKeys.current })
  }

  private func describeStreams(_ page: inout Exposition) {
    page.gauge("counter_streams", "Streams that are open.", sum { $0.server.streams.current })
    page.gauge("counter_streams_limit", "How many streams may be open.", mostStreams)
    page.counter(
      "counter_stream_events_total", "Numbers and problems that were sent to streams.",
      sum { $0.streamEvents.current })
    page.counter(
      "counter_streams_refused_total",
      "Requests for streams that were refused because as many were open as may be.",
      sum { $0.streamsRefused.current })
  }

  private func describeRedis(_ page: inout Exposition) {
    page.histogram(
      "counter_redis_round_trip_seconds", "From sending a batch to Redis's answer.",
      sum { $0.counting.roundTrips.reading }, unit: Self.nanoseconds)
    page.gauge(
      "counter_redis_connected_loops", "Event loops whose connection to Redis stands.",
      sum { difference($0.counting.redis.connected.current, $0.counting.redis.lost.current) })
    page.counter(
      "counter_redis_reconnects_total", "Connections to Redis that were made again.",
      sum { difference($0.counting.redis.connected.current, 1) })
    page.counter(
      "counter_redis_connections_lost_total", "Connections to Redis that broke or were given up.",
      sum { $0.counting.redis.lost.current })
    page.counter(
      "counter_redis_connection_failures_total", "Tries to connect to Redis that failed.",
      sum { $0.counting.redis.failed.current })
    page.counter(
      "counter_batches_interrupted_total",
      "Batches whose connection broke before they were answered; they are sent again.",
      sum { $0.counting.interrupted.current })
    page.counter(
      "counter_batches_unconfirmed_total",
      "Batches that fewer replicas of Redis had than --min-replicas; they are sent again.",
      sum { $0.counting.unconfirmed.current })
    page.counter(
      "counter_batches_refused_total", "Batches that Redis answered with an error.",
      sum { $0.counting.refused.current })
  }

  private func describeHTTP(_ page: inout Exposition) {
    page.counter(
      "counter_http_requests_total", "Requests by the status code of their answer.", by: "code",
      Status.allCases.map { status in
        ("\(status.rawValue)", sum { $0.server.responses(status) })
      })
    page.counter(
      "counter_http_connections_total", "Connections that were accepted.",
      sum { $0.server.accepted.current })
    page.gauge(
      "counter_http_connections_open", "Connections that are open.",
      sum { $0.server.open.current })
    page.counter(
      "counter_http_connections_shed_total",
      "Connections that were closed early: idle ones for others when the server was full, and such "
        + "that needed more memory than was left.", by: "reason",
      [
        ("idle", sum { $0.server.evicted.current }), ("memory", sum { $0.server.shed.current }),
      ])
    page.counter(
      "counter_http_received_bytes_total", "Bytes that clients sent.",
      sum { $0.server.received.current })
    page.counter(
      "counter_http_sent_bytes_total", "Bytes that were sent to clients.",
      sum { $0.server.sent.current })
    page.counter(
      "counter_access_log_lines_dropped_total",
      "Lines of the access log that nobody read in time.", accessLines?.dropped.current ?? 0)
  }
}
