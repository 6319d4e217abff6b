"""Thousands of connections: their memory while idle, and the rate while all are busy."""

import http.client
import json
import time

from .. import load, lock_step, peers
from ..bench import Bench, Run, say
from ..processes import BenchmarkError, Process

FEW_IDLE = 100
FEW_ACTIVE = 64
MANY_ACTIVE = 4000
CONNECTIONS_A_STEP = 10


def measure_idle(bench: Bench) -> list[Run]:
    """A run a server and round: resident bytes a connection that made one visit and keeps quiet."""
    runs = []
    many = bench.most_connections
    for turn in range(1, bench.settings.rounds + 1):
        for peer in (peers.nginx_constant(bench.most_connections), peers.counter()):
            with peer.running(bench) as server:
                held: list[lock_step.LockStep] = []
                try:
                    _hold(server.port, held, FEW_IDLE)
                    few_bytes = server.process.resident_memory()
                    _hold(server.port, held, many)
                    many_bytes = server.process.resident_memory()
                finally:
                    for connections in held:
                        connections.close()
            each = (many_bytes - few_bytes) / (many - FEW_IDLE)
            runs.append(
                {
                    "peer": peer.key,
                    "round": turn,
                    "few": FEW_IDLE,
                    "many": many,
                    "few_bytes": few_bytes,
                    "many_bytes": many_bytes,
                    "bytes_a_connection": each,
                }
            )
            say(f"  round {turn}: {peer.name}: {each:,.0f} bytes each of {many:,} connections")
    return runs


def _hold(port: int, held: list[lock_step.LockStep], count: int) -> None:
    """Opens connections, ten at a time, each with one visit, until there are so many."""
    while len(held) * CONNECTIONS_A_STEP < count:
        connections = lock_step.LockStep(port, CONNECTIONS_A_STEP)
        held.append(connections)
        connections.round(lock_step.PLAIN)


def measure_active(bench: Bench) -> list[Run]:
    """A run a server, round and number of connections: the rate once all of them are open."""
    most = bench.most_connections
    runs = []
    for turn in range(1, bench.settings.few_rounds + 1):
        for peer in (peers.nginx_constant(most), peers.counter()):
            for connections in sorted({FEW_ACTIVE, min(MANY_ACTIVE, most), most}):
                run = _active(bench, peer, connections)
                runs.append({"peer": peer.key, "round": turn, "connections": connections, **run})
                say(
                    f"  round {turn}: {peer.name}, {connections:,} connections: "
                    f"{run['rate']:,.0f} visits/s, {run['failures']} failed"
                )
    return runs


def _active(bench: Bench, peer: peers.Peer, connections: int) -> Run:
    """Counts, in the middle of a run, what the server answered."""
    settings = bench.settings
    lead = settings.active_lead if connections > FEW_ACTIVE else 1
    bench.redis.reset()
    with peer.running(bench) as server:
        visitors = load.closed_loop(bench, server, connections, lead + settings.seconds + 1)
        time.sleep(lead)
        first, began = _answered(bench, server), time.monotonic()
        cpu = _cpu(bench, server, visitors)
        time.sleep(settings.seconds)
        last, ended = _answered(bench, server), time.monotonic()
        cpu = [after - before for before, after in zip(cpu, _cpu(bench, server, visitors))]
        try:
            visitors.popen.wait(60)
        finally:
            visitors.stop()
        failures = json.loads(visitors.log.read_text())["failures"]
    visits = max(1, last - first)
    server_cpu, redis_cpu, load_cpu = (each / visits * 1e6 for each in cpu)
    return {
        "rate": visits / (ended - began),
        "failures": failures,
        "server_cpu_us": server_cpu,
        "redis_cpu_us": redis_cpu,
        "load_cpu_us": load_cpu,
    }


def _cpu(bench: Bench, server: peers.Server, visitors: Process) -> list[float]:
    return [process.cpu() for process in (server.process, bench.redis.process, visitors)]


def _answered(bench: Bench, server: peers.Server) -> int:
    """How many visits so far, from Redis, or from nginx's own statistics."""
    hits = bench.redis.hits()
    if hits > 0:
        return hits
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", "/status")
    words = connection.getresponse().read().split()
    connection.close()
    if len(words) < 10 or words[6] != b"requests":
        raise BenchmarkError(f"nginx's statistics are unknown: {words!r}")
    return int(words[9])
