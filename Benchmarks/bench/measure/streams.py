"""Streams: the memory of idle ones, and what the watchers of a busy counter take of its visits."""

import dataclasses
import json
import time

from .. import load, peers
from ..bench import Bench, Run, say
from ..processes import Process, wait_until

FEW_IDLE = 100
MANY_IDLE = 10_000
WATCHERS = 1_000
CONNECTIONS = 64
OPENING = 90
"""How long all streams may take to begin, in seconds."""


def measure_idle(bench: Bench) -> list[Run]:
    """A run a kind and round: resident bytes of each idle stream, all of one counter or each of its own."""
    runs = []
    many = min(MANY_IDLE, bench.most_connections)
    peer = peers.counter(flags=("--max-streams", str(many)))
    for turn in range(1, bench.settings.few_rounds + 1):
        for kind, counters in (("one counter", 1), ("a counter each", many)):
            sizes = []
            for streams in (FEW_IDLE, many):
                bench.redis.reset()
                with peer.running(bench) as server:
                    watchers = _watch(bench, server, "/stream/idle/p", counters, streams, 4)
                    time.sleep(2)
                    sizes.append(server.process.resident_memory())
                    _finish(watchers, 4)
            each = (sizes[1] - sizes[0]) / (many - FEW_IDLE)
            runs.append({"kind": kind, "round": turn, "streams": many, "bytes_a_stream": each})
            say(f"  round {turn}: {kind}: {each:,.0f} bytes each of {many:,} streams")
    return runs


def measure_watchers(bench: Bench) -> list[Run]:
    """A run a number of watchers and round: the hits of one counter as fast as wrk can send them."""
    runs = []
    seconds = bench.settings.seconds
    peer = dataclasses.replace(peers.counter(), path="/hit/blog/p0")
    for turn in range(1, bench.settings.many_rounds + 1):
        for streams in (0, WATCHERS):
            bench.redis.reset()
            with peer.running(bench) as server:
                load.wrk(bench, server, CONNECTIONS, 1)
                events = 0.0
                if streams:
                    watchers = _watch(bench, server, "/stream/blog/p", 1, streams, seconds)
                result = load.wrk(bench, server, CONNECTIONS, seconds)
                if streams:
                    events = _finish(watchers, seconds)["events"] / seconds
            runs.append(
                {
                    "watchers": streams, "round": turn, "rate": result.rate,
                    "failures": result.failures, "events_rate": events,
                }
            )  # fmt: skip
            say(f"  round {turn}: {streams} watchers: {result.rate:,.0f} hits/s, {events:,.0f} events/s")
    return runs


def _watch(
    bench: Bench, server: peers.Server, path: str, counters: int, streams: int, seconds: int
) -> Process:
    """Watchers who read for so long, after each has had its first event."""
    command = [bench.load_generator("watchers"), "127.0.0.1", str(server.port), path]
    command += [str(counters), str(streams), str(seconds)]
    watchers = bench.processes.start("watchers", command)
    wait_until(lambda: "open" in watchers.log.read_text(), watchers, OPENING)
    return watchers


def _finish(watchers: Process, seconds: int) -> dict[str, int]:
    """What the watchers have seen. None of their streams may have ended."""
    if watchers.popen.wait(seconds + 30) != 0:
        raise watchers.failure("failed")
    seen: dict[str, int] = json.loads(watchers.log.read_text().splitlines()[-1])
    if seen["ended"]:
        raise watchers.failure("lost streams")
    return seen
