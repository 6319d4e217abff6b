"""Counters with names: one, a thousand, a hundred thousand; a rare one beside a busy one; and names that are
made up."""

import dataclasses
import json
import re

from .. import load, peers
from ..bench import Bench, Run, say
from ..processes import BenchmarkError
from . import latency

CONNECTIONS = 64


@dataclasses.dataclass(frozen=True)
class Scene:
    """How many counters there are, how they are drawn, and whether all exist when the run begins."""

    counters: int
    draw: str
    exist: bool = True


SCENES = {
    "one counter": Scene(1, "uniform"),
    "1,000 counters, uniform": Scene(1_000, "uniform"),
    "100,000 counters, Zipf": Scene(100_000, "zipf"),
    "100,000 counters, Zipf, none exists yet": Scene(100_000, "zipf", exist=False),
}
FLOOD_LIMIT = 1_000
"""How many counters there may be while names are made up."""


def _peers(scene: str) -> list[tuple[peers.Peer, str]]:
    """Each peer, and what stands before the number of a counter in its path; nothing for a constant."""
    counting = [
        (dataclasses.replace(peers.webdis(), path="/INCR/blog:p0"), "/INCR/blog:p"),
        (dataclasses.replace(peers.counter(), path="/hit/blog/p0"), "/hit/blog/p"),
    ]
    return ([(peers.nginx_json(), "")] if scene == "one counter" else []) + counting


def measure(bench: Bench) -> list[Run]:
    """A run a scene, peer and round."""
    runs = []
    for turn in range(1, bench.settings.rounds + 1):
        for name, scene in SCENES.items():
            for peer, prefix in _peers(name):
                with peer.running(bench) as server:
                    run = _measured(bench, server, prefix, scene)
                runs.append(
                    {"scene": name, "peer": peer.key, "name": peer.name, "round": turn, **run}
                )
                say(f"  round {turn}: {name}: {peer.name}: {run['rate']:,.0f} visits/s")
    return runs


def _measured(bench: Bench, server: peers.Server, prefix: str, scene: Scene) -> Run:
    if not prefix:
        return load.measured(bench, server, CONNECTIONS).per_visit()
    script = ["-s", str(bench.benchmarks / "peers" / "names.lua")]
    bench.redis.reset()
    if scene.exist:
        _make_each(bench, server, script, prefix, scene.counters)
    run = load.measured(
        bench, server, CONNECTIONS, script=script, keeps_counters=scene.exist,
        arguments=[prefix, str(scene.counters), scene.draw],
    )
    return run.per_visit()


def _make_each(
    bench: Bench, server: peers.Server, script: list[str], prefix: str, counters: int
) -> None:
    """Visits each of the counters, so that it exists."""
    seconds = max(1, counters // 10_000)
    load.wrk(
        bench, server, CONNECTIONS, seconds, script=script,
        arguments=[prefix, str(counters), "each"],
    )
    if int(bench.redis.ask("DBSIZE")) < counters:
        raise BenchmarkError(f"{counters:,} counters could not be made in {seconds} s")


def measure_rare(bench: Bench) -> list[Run]:
    """Latency of a counter that gets a tenth of the visits, and of the one that gets the others."""
    rate = max(10, round(latency.highest_rate(bench) / 2))
    seconds = bench.settings.seconds
    runs = []
    for turn in range(1, bench.settings.many_rounds + 1):
        with peers.counter().running(bench) as server:
            shares = {
                "busy": load.open_loop_command(
                    bench, server, CONNECTIONS - 8, rate * 9 // 10, seconds, "/hit/blog/busy"
                ),
                "rare": load.open_loop_command(
                    bench, server, 8, rate // 10, seconds, "/hit/blog/rare"
                ),
            }
            started = {
                kind: bench.processes.start("openloop", command) for kind, command in shares.items()
            }
            for kind, process in started.items():
                if process.popen.wait(seconds + 30) != 0:
                    raise process.failure("failed")
                run = json.loads(process.log.read_text())
                runs.append({"kind": kind, "round": turn, **run})
                say(f"  round {turn}: {kind}: p50 {run['p50']:.0f} us, p99 {run['p99']:.0f} us")
    return runs


def measure_flood(bench: Bench) -> list[Run]:
    """One visitor of an existing counter beside 32 connections that hit existing counters, or names that
    they make up, beyond the limit of counters."""
    script = ["-s", str(bench.benchmarks / "peers" / "names.lua")]
    runs = []
    for turn in range(1, bench.settings.rounds + 1):
        for kind in ("existing names", "invented names"):
            peer = dataclasses.replace(
                peers.counter(flags=("--max-counters", str(FLOOD_LIMIT))), path="/hit/flood/p1"
            )
            bench.redis.reset()
            with peer.running(bench) as server:
                _fill(bench, server, script)
                before = server.process.resident_memory()
                draw = "known" if kind == "existing names" else "invented"
                command = ["wrk", "-t1", "-c32", f"-d{bench.settings.seconds + 1}s", *script]
                command += [f"http://127.0.0.1:{server.port}", "--", "/hit/flood/p"]
                flood = bench.processes.start("wrk", [*command, str(FLOOD_LIMIT - 1), draw])
                output = bench.processes.run(
                    "wrk",
                    ["wrk", "-t1", "-c1", f"-d{bench.settings.seconds}s", "--latency", server.url],
                    bench.settings.seconds + 30,
                )
                flood.popen.wait(30)
                after = server.process.resident_memory()
            _, rate, failures = load.parse_wrk(output)
            found = re.search(r"99% +([\d.]+)(us|ms|s)", output)
            units = {"us": 1.0, "ms": 1e3, "s": 1e6}
            p99 = float(found.group(1)) * units[found.group(2)] if found else 0.0
            runs.append(
                {
                    "kind": kind, "round": turn, "p99_us": p99, "rate": rate,
                    "failures": failures, "resident_before": before, "resident_after": after,
                }
            )
            say(f"  round {turn}: beside {kind}: p99 {p99:,.0f} us, {after - before:,} bytes more")
    return runs


def _fill(bench: Bench, server: peers.Server, script: list[str]) -> None:
    """Makes as many counters as may be."""
    url = f"http://127.0.0.1:{server.port}"
    command = ["wrk", "-t1", "-c32", "-d2s", *script, url, "--", "/hit/flood/p"]
    bench.processes.run("wrk", [*command, str(FLOOD_LIMIT - 1), "uniform"], 30)
    command = ["wrk", "-t1", "-c8", "-d1s", *script, url, "--", "/hit/flood/q"]
    bench.processes.run("wrk", [*command, "100", "invented"], 30)
