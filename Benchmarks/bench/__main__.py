"""The command line: measures, and writes the Markdown, the JSON and the chart."""

import argparse
import dataclasses
import json
import pathlib
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable

from . import chart, environment, report
from .bench import Bench, Run, Settings, say
from .measure import (
    batches,
    connections,
    images,
    instructions,
    latency,
    links,
    lone,
    names,
    scaling,
    start,
    streams,
    throughput,
)
from .processes import BenchmarkError, Processes
from .redis_server import RedisServer
from .results import Results

PROGRAMS = ("nginx", "webdis", "redis-server", "redis-benchmark", "wrk", "valgrind", "strip", "openssl")
MOST_CONNECTIONS = 10_000
SPARE_DESCRIPTORS = 300
BUSY = 0.05
"""From this share of all processors on, what else runs spoils the measurement."""

MEASUREMENTS: dict[str, Callable[[Bench], list[Run]]] = {
    "throughput": throughput.measure,
    "instructions": instructions.measure,
    "named": instructions.measure_named,
    "latency": latency.measure,
    "lone": lone.measure,
    "idle": connections.measure_idle,
    "active": connections.measure_active,
    "scaling": scaling.measure,
    "start": start.measure,
    "batches": batches.measure,
    "links": links.measure,
    "names": names.measure,
    "rare": names.measure_rare,
    "flood": names.measure_flood,
    "images": images.measure,
    "streams": streams.measure_idle,
    "watchers": streams.measure_watchers,
}


def main() -> int:
    """Returns the exit code."""
    options = _options()
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, _stop)
    began = time.monotonic()
    try:
        _check(options)
        with Processes() as processes:
            bench = _bench(options, processes)
            results = _measure(bench, options)
        _write(results, options.results)
    except BenchmarkError as error:
        say(f"benchmark: {error}")
        return 1
    except KeyboardInterrupt:
        say("benchmark: interrupted")
        return 130
    say(f"took {(time.monotonic() - began) / 60:.1f} minutes; written to {options.results}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="Benchmarks/run", description=__doc__)
    parser.add_argument("--repository", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="about 2.5 minutes instead of 15")
    parser.add_argument("--rounds", type=_positive, help="alternating runs a measurement")
    parser.add_argument("--seconds", type=_positive, help="length of a run")
    parser.add_argument("--counter", type=pathlib.Path, help="default: .build/release/counter")
    parser.add_argument("--results", type=pathlib.Path, help="folder to write to; default: docs")
    parser.add_argument(
        "--only",
        action="append",
        choices=list(MEASUREMENTS),
        help="measure only this; can be given again",
    )
    options = parser.parse_args()
    if options.only and not options.results:
        parser.error("--only needs --results: it would overwrite the whole results in docs")
    options.repository = options.repository.resolve()
    options.counter = (options.counter or options.repository / ".build/release/counter").resolve()
    options.results = (options.results or options.repository / "docs").resolve()
    return options


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def _check(options: argparse.Namespace) -> None:
    """Says what is missing before anything starts."""
    if not options.counter.is_file():
        raise BenchmarkError(f"{options.counter} is missing: `make build` makes it")
    path = "/usr/sbin:/usr/bin:/sbin:/bin"
    missing = [program for program in PROGRAMS if not shutil.which(program, path=path)]
    if missing:
        raise BenchmarkError(f"missing: {', '.join(missing)}; Benchmarks/run installs them")


def _bench(options: argparse.Namespace, processes: Processes) -> Bench:
    settings = Settings.quick() if options.quick else Settings()
    if options.rounds:
        rounds = options.rounds
        settings = dataclasses.replace(
            settings, rounds=rounds, many_rounds=rounds, few_rounds=rounds, starts=rounds
        )
    if options.seconds:
        settings = dataclasses.replace(settings, seconds=options.seconds)
    # What runs must not change while it runs, whoever builds meanwhile.
    counter = processes.new_folder("counter") / "counter"
    shutil.copy2(options.counter, counter)
    descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if descriptors == resource.RLIM_INFINITY:
        descriptors = MOST_CONNECTIONS + SPARE_DESCRIPTORS
    most_connections = min(MOST_CONNECTIONS, descriptors - SPARE_DESCRIPTORS)
    if most_connections < MOST_CONNECTIONS:
        say(f"only {descriptors} descriptors (ulimit -n): {most_connections} connections at most")
    if most_connections <= 1024:
        raise BenchmarkError("too few descriptors: raise the limit, see `ulimit -H -n`")
    redis = RedisServer(processes)
    return Bench(options.repository, counter, processes, redis, settings, most_connections)


def _measure(bench: Bench, options: argparse.Namespace) -> Results:
    described = environment.describe(bench)
    busy = environment.busy_share(2)
    described["busy before it began"] = f"{busy:.0%} of all processors"
    if busy > BUSY:
        say("This machine is busy with something else: the numbers will be worth little.")
    settings = dataclasses.asdict(bench.settings)
    settings |= {"quick": options.quick, "busy": busy > BUSY}
    for name, measure in MEASUREMENTS.items():
        if options.only and name not in options.only:
            continue
        say(name)
        bench.runs[name] = measure(bench)
    return Results(described, settings, bench.runs)


def _write(results: Results, folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "benchmark.md").write_text(report.markdown(results))
    (folder / "benchmark.json").write_text(_json(results))
    if results.has("throughput"):
        (folder / "benchmark.svg").write_text(chart.svg(results))


def _json(results: Results) -> str:
    """All that was measured, a run a line."""
    measurements = ",\n".join(
        f"  {json.dumps(name)}: [\n" + ",\n".join(f"   {json.dumps(run)}" for run in runs) + "\n  ]"
        for name, runs in results.runs.items()
    )
    described = json.dumps(results.environment, indent=1, ensure_ascii=False)
    settings = json.dumps(results.settings)
    return (
        f'{{\n"environment": {described},\n"settings": {settings},\n'
        f'"runs": {{\n{measurements}\n }}\n}}\n'
    )


sys.exit(main())
