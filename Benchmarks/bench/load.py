"""Load: wrk, redis-benchmark, and the two load generators of our own."""

import csv
import dataclasses
import json
import re
import time
from collections.abc import Sequence

from .bench import Bench
from .peers import Server
from .processes import BenchmarkError, Process, children_cpu


@dataclasses.dataclass(frozen=True)
class WrkResult:
    """What one run of wrk saw."""

    visits: int
    rate: float
    failures: int
    cpu: float
    """Seconds of CPU that wrk itself took."""
    seconds: float


def wrk(
    bench: Bench,
    server: Server,
    connections: int,
    seconds: float,
    threads: int = 1,
    script: Sequence[str] = (),
    arguments: Sequence[str] = (),
) -> WrkResult:
    """Keeps that many keep-alive connections busy for a while; a script may make the requests."""
    cpu = children_cpu()
    began = time.monotonic()
    length = max(1, round(seconds))
    command = ["wrk", f"-t{min(threads, connections)}", f"-c{connections}", f"-d{length}s"]
    command += [*script, server.url, "--", *arguments] if script else [server.url]
    output = bench.processes.run("wrk", command, seconds + 30)
    took = time.monotonic() - began
    visits, rate, failures = parse_wrk(output)
    return WrkResult(visits, rate, failures, children_cpu() - cpu, took)


@dataclasses.dataclass(frozen=True)
class Measured:
    """A run of wrk, and what server and Redis did meanwhile."""

    wrk: WrkResult
    server_cpu: float
    redis_cpu: float
    """Seconds of CPU."""
    calls_rate: float
    """EVALSHA calls a second at Redis."""
    batch: float
    """Visits that Redis counted with each of them."""

    def per_visit(self) -> dict[str, float]:
        """The rate, the failures, and the CPU of server and Redis a visit."""
        visits = max(1, self.wrk.visits)
        return {
            "rate": self.wrk.rate,
            "visits": self.wrk.visits,
            "failures": self.wrk.failures,
            "server_cpu_us": self.server_cpu / visits * 1e6,
            "redis_cpu_us": self.redis_cpu / visits * 1e6,
        }


def measured(
    bench: Bench,
    server: Server,
    connections: int,
    threads: int = 1,
    script: Sequence[str] = (),
    arguments: Sequence[str] = (),
    keeps_counters: bool = False,
) -> Measured:
    """Keeps connections busy for the length of a run, after a second to warm up. Redis begins empty, unless
    it keeps its counters."""
    wrk(bench, server, connections, 1, threads, script, arguments)
    if not keeps_counters:
        bench.redis.reset()
    server_cpu, redis_cpu = server.process.cpu(), bench.redis.process.cpu()
    result = wrk(
        bench, server, connections, bench.settings.seconds, threads, script, arguments
    )
    server_cpu = server.process.cpu() - server_cpu
    redis_cpu = bench.redis.process.cpu() - redis_cpu
    visits, calls = bench.redis.hits(), bench.redis.calls("evalsha")
    return Measured(result, server_cpu, redis_cpu, calls / result.seconds, visits / max(1, calls))


def parse_wrk(output: str) -> tuple[int, float, int]:
    """Visits, visits a second and failures from what wrk printed."""
    visits = re.search(r"(\d+) requests in", output)
    rate = re.search(r"Requests/sec: +([\d.]+)", output)
    if not visits or not rate:
        raise BenchmarkError(f"wrk printed something unknown:\n{output}")
    failures = 0
    errors = re.search(
        r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output
    )
    if errors:
        failures += sum(map(int, errors.groups()))
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    if refused:
        failures += int(refused.group(1))
    return int(visits.group(1)), float(rate.group(1)), failures


def redis_benchmark(bench: Bench, connections: int, requests: int) -> float:
    """INCR commands a second, each sent when the last one of its connection was answered."""
    output = bench.processes.run(
        "redis-benchmark",
        [
            *("redis-benchmark", "-h", "127.0.0.1", "-p", str(bench.redis.port)),
            *("-c", str(connections), "-n", str(requests), "--csv", "INCR", "hits"),
        ],
        limit=120,
    )
    for row in csv.reader(output.splitlines()):
        if row and row[0].startswith("INCR"):
            return float(row[1])
    raise BenchmarkError(f"redis-benchmark printed something unknown:\n{output}")


def closed_loop(bench: Bench, server: Server, connections: int, seconds: int) -> Process:
    """Starts visitors on so many connections who ask again as soon as they are answered."""
    command = [bench.load_generator("closedloop"), "127.0.0.1", str(server.port)]
    return bench.processes.start("closedloop", [*command, str(connections), str(seconds)])


def open_loop(
    bench: Bench, server: Server, connections: int, rate: int, seconds: int, processors: set[int]
) -> dict[str, float]:
    """Visits at a fixed rate, sent from these processors; what openloop.c prints."""
    affinity = ["taskset", "--cpu-list", ",".join(map(str, sorted(processors)))]
    command = affinity + open_loop_command(bench, server, connections, rate, seconds)
    return open_loop_result(bench, command, seconds)


def open_loop_result(bench: Bench, command: list[str], seconds: int) -> dict[str, float]:
    """Runs a command that sends visits at a fixed rate; what openloop.c prints."""
    answer: dict[str, float] = json.loads(bench.processes.run("openloop", command, seconds + 30))
    return answer


def open_loop_command(
    bench: Bench, server: Server, connections: int, rate: int, seconds: int, path: str = "/"
) -> list[str]:
    """The command that sends visits at a fixed rate."""
    command = [bench.load_generator("openloop"), "127.0.0.1", str(server.port)]
    return [*command, str(connections), str(rate), str(seconds), path]


def round_trips(bench: Bench, protocol: str, port: int, seconds: int) -> dict[str, float]:
    """One request at a time; what roundtrip.c prints."""
    command = [bench.load_generator("roundtrip"), protocol, "127.0.0.1", str(port), str(seconds)]
    answer: dict[str, float] = json.loads(bench.processes.run("roundtrip", command, seconds + 30))
    return answer
