"""Visits a second, and what each costs in CPU: every peer in turn, again and again."""

from .. import load, peers
from ..bench import Bench, Run, say

CONNECTIONS = 64


def measure(bench: Bench) -> list[Run]:
    """A run a peer and round: rate, failures, and CPU of server, Redis and wrk a visit."""
    web_servers = [
        peers.nginx_constant(),
        peers.nginx_lua(),
        peers.webdis(),
        peers.original(),
        peers.counter(),
    ]
    runs = []
    for turn in range(1, bench.settings.many_rounds + 1):
        for peer in web_servers:
            run = _run(bench, peer)
            runs.append({"peer": peer.key, "name": peer.name, "round": turn, **run})
            _say(turn, runs[-1])
        run = _redis_benchmark(bench)
        runs.append(
            {"peer": "redis-benchmark", "name": "redis-benchmark, INCR", "round": turn, **run}
        )
        _say(turn, runs[-1])
    return runs


def _run(bench: Bench, peer: peers.Peer) -> Run:
    with peer.running(bench) as server:
        run = load.measured(bench, server, CONNECTIONS)
    return {**run.per_visit(), "load_cpu_us": run.wrk.cpu / max(1, run.wrk.visits) * 1e6}


def _redis_benchmark(bench: Bench) -> Run:
    rate = load.redis_benchmark(bench, CONNECTIONS, 20_000)
    bench.redis.reset()
    requests = max(1000, round(rate * bench.settings.seconds))
    redis_cpu = bench.redis.process.cpu()
    rate = load.redis_benchmark(bench, CONNECTIONS, requests)
    redis_cpu = bench.redis.process.cpu() - redis_cpu
    return {
        "rate": rate,
        "visits": requests,
        "failures": 0,
        "server_cpu_us": 0.0,
        "redis_cpu_us": redis_cpu / requests * 1e6,
    }


def _say(turn: int, run: Run) -> None:
    cpu = run["server_cpu_us"] + run["redis_cpu_us"]
    say(
        f"  round {turn}: {run['name']}: {run['rate']:,.0f} visits/s, {run['failures']} failed, "
        f"{cpu:.1f} us CPU a visit"
    )
