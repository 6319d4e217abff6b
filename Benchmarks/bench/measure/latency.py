"""Latency at a fixed rate, half of what the counter can do at most."""

import os

from .. import load, peers
from ..bench import Bench, Run, median, say

CONNECTIONS = 64


def measure(bench: Bench) -> list[Run]:
    """A run a server and round: percentiles in microseconds, from when each visit was due."""
    rate = max(1, round(_highest_rate(bench) / 2))
    # Visitors come from elsewhere: they have a processor of their own, and do not get in the way of
    # those who answer.
    usable = os.sched_getaffinity(0)
    visitors = max(usable)
    others = usable - {visitors} or usable
    bench.redis.process.run_on(others)
    runs = []
    # High percentiles scatter more than anything else here, so there are twice the runs.
    for turn in range(1, 2 * bench.settings.rounds + 1):
        for peer in (peers.nginx_constant(), peers.counter()):
            with peer.running(bench) as server:
                server.process.run_on(others)
                result = load.open_loop(
                    bench, server, CONNECTIONS, rate, bench.settings.seconds, visitors
                )
            runs.append({"peer": peer.key, "name": peer.name, "round": turn, **result})
            say(
                f"  round {turn}: {peer.name} at {rate:,} visits/s: p50 {result['p50']:.0f} us, "
                f"p99 {result['p99']:.0f} us, {result['failures']:.0f} failed"
            )
    bench.redis.process.run_on(usable)
    return runs


def _highest_rate(bench: Bench) -> float:
    """The counter's, as it was measured before, or else measured now."""
    known = [run["rate"] for run in bench.runs.get("throughput", []) if run["peer"] == "counter"]
    if known:
        return median(known)
    with peers.counter().running(bench) as server:
        return load.wrk(bench, server, CONNECTIONS, 2 * bench.settings.seconds).rate
