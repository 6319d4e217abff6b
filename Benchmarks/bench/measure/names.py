"""Counters with names: one, a thousand, a hundred thousand; and names that are made up."""

import dataclasses
import re

from .. import load, peers
from ..bench import Bench, Run, say

CONNECTIONS = 64
SCENES = {
    "one counter": (1, "uniform"),
    "1,000 counters, uniform": (1_000, "uniform"),
    "100,000 counters, Zipf": (100_000, "zipf"),
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
        for scene, (counters, draw) in SCENES.items():
            for peer, prefix in _peers(scene):
                with peer.running(bench) as server:
                    run = _measured(bench, server, prefix, counters, draw)
                runs.append(
                    {"scene": scene, "peer": peer.key, "name": peer.name, "round": turn, **run}
                )
                say(f"  round {turn}: {scene}: {peer.name}: {run['rate']:,.0f} visits/s")
    return runs


def _measured(
    bench: Bench, server: peers.Server, prefix: str, counters: int, draw: str
) -> Run:
    script = ["-s", str(bench.benchmarks / "peers" / "names.lua")] if prefix else []
    arguments = [prefix, str(counters), draw]
    run = load.measured(bench, server, CONNECTIONS, script=script, arguments=arguments)
    return run.per_visit()


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
                draw = "uniform" if kind == "existing names" else "invented"
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
