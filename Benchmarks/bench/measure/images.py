"""What an image of a counter costs beside its number in JSON."""

import dataclasses

from .. import load, peers
from ..bench import Bench, Run, say

CONNECTIONS = 64
PATHS = {
    "JSON": "/hit/blog/home",
    "badge": "/hit/blog/home/badge.svg",
    "badge with a label and a colour": "/hit/blog/home/badge.svg?label=visits&color=blue",
    "digits": "/hit/blog/home/digits.svg",
}


def measure(bench: Bench) -> list[Run]:
    """A run a kind and round."""
    runs = []
    for turn in range(1, bench.settings.rounds + 1):
        for kind, path in PATHS.items():
            peer = dataclasses.replace(peers.counter(), path=path)
            with peer.running(bench) as server:
                run = load.measured(bench, server, CONNECTIONS).per_visit()
            runs.append({"kind": kind, "round": turn, **run})
            say(f"  round {turn}: {kind}: {run['server_cpu_us']:.2f} us of CPU a visit")
    return runs
