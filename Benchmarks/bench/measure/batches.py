"""How many commands Redis is sent, and how many visits each carries."""

from .. import load, peers
from ..bench import Bench, Run, say

CONNECTIONS = (1, 16, 64, 256, 1024)


def measure(bench: Bench) -> list[Run]:
    """A run a round and number of connections: visits and EVALSHA calls a second."""
    runs = []
    for turn in range(1, bench.settings.few_rounds + 1):
        for connections in CONNECTIONS:
            with peers.counter().running(bench) as server:
                load.wrk(bench, server, connections, 1)
                bench.redis.reset()
                redis_cpu = bench.redis.process.cpu()
                result = load.wrk(bench, server, connections, bench.settings.seconds)
                redis_cpu = bench.redis.process.cpu() - redis_cpu
                visits, calls = bench.redis.hits(), bench.redis.calls("evalsha")
            runs.append(
                {
                    "round": turn,
                    "connections": connections,
                    "rate": result.rate,
                    "failures": result.failures,
                    "calls_rate": calls / result.seconds,
                    "batch": visits / max(1, calls),
                    "redis_processors": redis_cpu / result.seconds,
                }
            )
            say(
                f"  round {turn}: {connections:,} connections: {result.rate:,.0f} visits/s, "
                f"{runs[-1]['calls_rate']:,.0f} batches/s, {runs[-1]['batch']:.1f} visits each"
            )
    return runs
