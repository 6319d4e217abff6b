"""Instructions in user space a visit, counted by callgrind."""

import contextlib
import os
import pathlib
import re
import signal
from collections.abc import Callable, Iterator

from .. import lock_step, peers
from ..bench import Bench, Run, say
from ..processes import BenchmarkError, answers, wait_until

CONNECTIONS = 32
SHORT_ROUNDS = 50
NAMED_PATHS = ("/hit/blog/home", "/get/blog/home")


def measure(bench: Bench) -> list[Run]:
    """A run a server and header: instructions of a long run less those of a short one."""
    stripped = _stripped(bench)
    servers: list[tuple[str, Callable[[tuple[str, ...]], peers.Peer]]] = [
        ("nginx", lambda prefix: peers.nginx_constant(prefix=prefix)),
        ("counter", lambda prefix: peers.counter(executable=str(stripped), prefix=prefix)),
    ]
    headers = (("plain", lock_step.PLAIN), ("browser", lock_step.BROWSER))
    runs = []
    for turn in range(1, bench.settings.few_rounds + 1):
        for header, request in headers:
            for key, peer in servers:
                run = _run(bench, peer, request)
                runs.append({"peer": key, "header": header, "round": turn, **run})
                say(
                    f"  round {turn}: {key}, {header} header: "
                    f"{run['instructions']:,.0f} instructions a visit"
                )
    return runs


def measure_named(bench: Bench) -> list[Run]:
    """The same of the counter alone, for requests of a counter with a name."""
    stripped = _stripped(bench)
    runs = []
    for turn in range(1, bench.settings.few_rounds + 1):
        for path in NAMED_PATHS:
            run = _run(
                bench,
                lambda prefix: peers.counter(executable=str(stripped), prefix=prefix),
                lock_step.plain(path),
                first=lock_step.plain("/hit/blog/home"),
            )
            runs.append({"path": path, "round": turn, **run})
            say(f"  round {turn}: {path}: {run['instructions']:,.0f} instructions a request")
    return runs


def _stripped(bench: Bench) -> pathlib.Path:
    """The counter without debug information: Debian 12's valgrind does not understand Swift's."""
    stripped = bench.processes.new_folder("stripped") / "counter"
    bench.processes.run("strip", ["strip", "-g", "-o", str(stripped), str(bench.counter)], limit=60)
    return stripped


def _run(
    bench: Bench,
    peer: Callable[[tuple[str, ...]], peers.Peer],
    request: bytes,
    first: bytes | None = None,
) -> Run:
    """One server's cost of a request; one other request may come first."""
    long_rounds = SHORT_ROUNDS + bench.settings.lock_step_rounds
    visits = bench.settings.lock_step_rounds * CONNECTIONS
    short = _instructions(bench, peer, request, SHORT_ROUNDS, first)
    long = _instructions(bench, peer, request, long_rounds, first)
    return {
        "request_bytes": len(request),
        "visits": visits,
        "instructions": (long - short) / visits,
    }


def _instructions(
    bench: Bench,
    peer: Callable[[tuple[str, ...]], peers.Peer],
    request: bytes,
    rounds: int,
    first: bytes | None,
) -> int:
    """All instructions of a server, from its start to its end, with so many rounds in between."""
    output = bench.processes.new_folder("callgrind") / "out"
    prefix = ("valgrind", "--tool=callgrind", f"--callgrind-out-file={output}")
    server = peer(prefix).start_on_free_port(bench)
    try:
        wait_until(lambda: answers(server.port, server.path), server.process, limit=60)
        with (
            _one_processor(bench, server),
            lock_step.LockStep(server.port, CONNECTIONS) as connections,
        ):
            if first:
                connections.round(first)
            for _ in range(rounds):
                connections.round(request)
        server.process.stop(signal.SIGTERM, limit=60)
    finally:
        server.process.stop(limit=1)
    return _total(output)


@contextlib.contextmanager
def _one_processor(bench: Bench, server: peers.Server) -> Iterator[None]:
    """Keeps server, Redis and this program to one processor. Then all visits of a round have arrived when the
    server looks for them; otherwise their number, and with it the instructions, would be a matter of luck."""
    usable = os.sched_getaffinity(0)
    processor = {max(usable)}
    server.process.run_on(processor)
    bench.redis.process.run_on(processor)
    os.sched_setaffinity(0, processor)
    try:
        yield
    finally:
        os.sched_setaffinity(0, usable)
        bench.redis.process.run_on(usable)


def _total(output: pathlib.Path) -> int:
    # A server of several threads has a part for each thread in one file, which ends with the sum.
    try:
        totals = re.findall(r"^totals: (\d+)", output.read_text(errors="replace"), re.MULTILINE)
    except FileNotFoundError:
        totals = []
    if not totals:
        raise BenchmarkError("callgrind wrote no result: the server did not end cleanly under it")
    return int(totals[-1])
