"""Latency at a fixed rate, half of what the counter can do at most."""

import dataclasses
import os

from .. import load, peers
from ..bench import Bench, Run, median, say

CONNECTIONS = 64


@dataclasses.dataclass(frozen=True)
class Arrangement:
    """Which processors answer, and from which the load comes."""

    key: str
    answering: set[int]
    asking: set[int]


def measure(bench: Bench) -> list[Run]:
    """A run an arrangement, server and round: percentiles of the time since a visit was due."""
    rate = max(1, round(highest_rate(bench) / 2))
    usable = os.sched_getaffinity(0)
    arrangements = _arrangements(usable)
    runs = []
    for turn in range(1, bench.settings.many_rounds + 1):
        for arrangement in arrangements:
            bench.redis.process.run_on(arrangement.answering)
            for peer in (peers.nginx_constant(), peers.counter()):
                run = _run(bench, peer, arrangement, rate)
                runs.append({"peer": peer.key, "name": peer.name, "round": turn, **run})
                say(
                    f"  round {turn}: {peer.name} at {rate:,} visits/s, {arrangement.key}: "
                    f"p50 {run['p50']:.0f} us, p99 {run['p99']:.0f} us, "
                    f"{run['failures']:.0f} failed"
                )
    bench.redis.process.run_on(usable)
    return runs


def _arrangements(usable: set[int]) -> list[Arrangement]:
    """All share all processors; or, where there are two, the load has one of its own."""
    asking = {max(usable)}
    shared = Arrangement("shared", usable, usable)
    apart = Arrangement("apart", usable - asking, asking)
    return [shared, apart] if apart.answering else [shared]


def _run(bench: Bench, peer: peers.Peer, arrangement: Arrangement, rate: int) -> Run:
    seconds = bench.settings.seconds
    with peer.running(bench) as server:
        server.process.run_on(arrangement.answering)
        result = load.open_loop(bench, server, CONNECTIONS, rate, seconds, arrangement.asking)
    return {"arrangement": arrangement.key, **result}


def highest_rate(bench: Bench) -> float:
    """The counter's, as it was measured before, or else measured now."""
    known = [run["rate"] for run in bench.runs.get("throughput", []) if run["peer"] == "counter"]
    if known:
        return median(known)
    with peers.counter().running(bench) as server:
        return load.wrk(bench, server, CONNECTIONS, 2 * bench.settings.seconds).rate
