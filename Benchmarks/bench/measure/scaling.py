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
        load.wrk(bench, server, CONNECTIONS, 1, WRK_THREADS)
        bench.redis.reset()
        server_cpu, redis_cpu = server.process.cpu(), bench.redis.process.cpu()
        result = load.wrk(bench, server, CONNECTIONS, bench.settings.seconds, WRK_THREADS)
        server_cpu = server.process.cpu() - server_cpu
        redis_cpu = bench.redis.process.cpu() - redis_cpu
        visits, calls = bench.redis.hits(), bench.redis.calls("evalsha")
    return {
        "rate": result.rate,
        "failures": result.failures,
        "calls_rate": calls / result.seconds,
        "batch": visits / max(1, calls),
        "server_processors": server_cpu / result.seconds,
        "redis_processors": redis_cpu / result.seconds,
        "wrk_processors": result.cpu / result.seconds,
        "cpu_us": (server_cpu + redis_cpu) / max(1, result.visits) * 1e6,
    }
