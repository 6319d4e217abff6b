"""One loop against two, wrk and Redis on the same processors."""

from .. import load, peers
from ..bench import Bench, Run, say

CONNECTIONS = 64
WRK_THREADS = 2


def measure(bench: Bench) -> list[Run]:
    """A run a server, round and number of loops: rate, batches, and what processors each took."""
    runs = []
    for turn in range(1, bench.settings.few_rounds + 1):
        for loops in (1, 2):
            for peer in (peers.nginx_constant(workers=loops), peers.counter(threads=loops)):
                run = _run(bench, peer)
                runs.append({"peer": peer.key, "round": turn, "loops": loops, **run})
                say(f"  round {turn}: {peer.name}, {loops} loops: {run['rate']:,.0f} visits/s")
    return runs


def _run(bench: Bench, peer: peers.Peer) -> Run:
    with peer.running(bench) as server:
        run = load.measured(bench, server, CONNECTIONS, WRK_THREADS)
    return {
        "rate": run.wrk.rate,
        "failures": run.wrk.failures,
        "calls_rate": run.calls_rate,
        "batch": run.batch,
        "server_processors": run.server_cpu / run.wrk.seconds,
        "redis_processors": run.redis_cpu / run.wrk.seconds,
        "wrk_processors": run.wrk.cpu / run.wrk.seconds,
        "cpu_us": (run.server_cpu + run.redis_cpu) / max(1, run.wrk.visits) * 1e6,
    }
