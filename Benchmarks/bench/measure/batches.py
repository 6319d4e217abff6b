"""How many commands Redis is sent, and how many visits each carries, beside nginx's constant."""

from .. import load, peers
from ..bench import Bench, Run, say

CONNECTIONS = (1, 16, 64, 256, 1024)


def measure(bench: Bench) -> list[Run]:
    """A run a server, round and number of connections: visits and EVALSHA calls a second."""
    runs = []
    for turn in range(1, bench.settings.few_rounds + 1):
        for connections in CONNECTIONS:
            for peer in (peers.nginx_constant(), peers.counter()):
                run = _run(bench, peer, connections)
                runs.append({"peer": peer.key, "round": turn, "connections": connections, **run})
                say(
                    f"  round {turn}: {peer.name}, {connections:,} connections: "
                    f"{run['rate']:,.0f} visits/s, {run['calls_rate']:,.0f} batches/s, "
                    f"{run['batch']:.1f} visits each"
                )
    return runs


def _run(bench: Bench, peer: peers.Peer, connections: int) -> Run:
    with peer.running(bench) as server:
        run = load.measured(bench, server, connections)
    return {
        "rate": run.wrk.rate,
        "failures": run.wrk.failures,
        "calls_rate": run.calls_rate,
        "batch": run.batch,
        "redis_processors": run.redis_cpu / run.wrk.seconds,
    }
