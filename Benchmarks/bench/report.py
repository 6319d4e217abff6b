"""The Markdown of the results."""

import textwrap
from collections.abc import Iterable

from .results import Results
from .targets import KIB, targets


def markdown(results: Results) -> str:
    """All tables, with what they were measured on."""
    sections = [_introduction(results), _targets(results)]
    for measurement, section in (
        ("throughput", _throughput),
        ("instructions", _instructions),
        ("named", _named),
        ("latency", _latency),
        ("lone", _lone),
        ("idle", _idle),
        ("active", _active),
        ("scaling", _scaling),
        ("start", _start),
        ("batches", _batches),
        ("links", _links),
        ("names", _names),
        ("rare", _rare),
        ("flood", _flood),
        ("streams", _streams),
        ("watchers", _watchers),
    ):
        if results.has(measurement):
            sections.append(section(results))
    sections.append(_environment(results))
    blocks = "\n\n".join(sections).split("\n\n")
    return (
        "\n\n".join(block if _keeps_its_lines(block) else _wrap(block) for block in blocks) + "\n"
    )


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; all columns but the first are aligned right."""
    heads = list(heads)
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *map(list, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _keeps_its_lines(block: str) -> bool:
    return block.startswith(("#", "|", "![", "**"))


def _wrap(block: str) -> str:
    return textwrap.fill(block, 100, break_long_words=False, break_on_hyphens=False)


def _introduction(results: Results) -> str:
    settings = results.settings
    environment = results.environment
    warnings = (
        "\n\n**This was the quick form: one to two short runs each. Take no number from it.**"
        if settings["quick"]
        else ""
    )
    if settings["busy"]:
        warnings += "\n\n**The machine was busy with something else when this began.**"
    return f"""# What a counted visit costs

Written by `make bench`, {environment["date"]}, on {environment["processors usable"]} processors
({environment["processor"]}), Linux {environment["kernel"]}. Where no table says otherwise, a number
is the median of several runs, in which the peers took turns: A B C … A B C …; failures are those of
all runs together. There were {settings["rounds"]} runs; {settings["few_rounds"]} for instructions,
active connections, two loops and batches; {settings["many_rounds"]} for throughput, and for latency
in each of two arrangements; {settings["starts"]} starts. A run had a fresh server and took {settings["seconds"]} s
after a warm-up of a second or more. But instructions are counted, not timed; the runs of a lone
visit took {max(1, settings["seconds"] // 2)} s, a tenth of it to warm up, all on the same servers;
idle connections and starts have no warm-up; and redis-benchmark warms up with 20,000 commands. All
raw runs are in [benchmark.json](benchmark.json).{warnings}

All peers count in the same redis-server on 127.0.0.1 over TCP, which keeps nothing on disk
(`appendonly no`), so that no disk is measured. Each has one thread or worker process, except the
original, whose server starts a thread a request, and except where two loops are measured. The
counter runs with `--threads 1 --metrics-port 0`, so without its port for metrics, and with
`--threads 2` for two loops. Nothing is pinned to a processor but in one of the two arrangements in
which latency is measured: server, Redis and load share them, as the scheduler likes. nginx returns
a constant with the text and header fields of a visit; it adds `Server` and `Connection`, which it
always sends. It runs as a single process without a master, which only two workers need, with logs
off and without a limit on keep-alive requests. The Lua peer keeps up to 1,024 connections to Redis,
webdis its usual 20, the counter one a loop."""


def _targets(results: Results) -> str:
    rows = [(each.what, each.wanted, each.measured, each.verdict) for each in targets(results)]
    lines = ["| what | wanted | measured | |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "## What must hold\n\n" + "\n".join(lines)


def _throughput(results: Results) -> str:
    constant_rate = results.median("throughput", "rate", peer="nginx")
    constant_cpu = results.cpu("nginx")
    rows = []
    for peer in results.values("throughput", "peer"):
        runs = results.select("throughput", peer=peer)
        rate = results.median("throughput", "rate", peer=peer)
        rates = [run["rate"] for run in runs]
        server, redis = (
            results.median("throughput", member, peer=peer)
            for member in ("server_cpu_us", "redis_cpu_us")
        )
        cpu = results.cpu(peer)
        rows.append(
            (
                runs[0]["name"],
                f"{rate:,.0f}",
                f"{min(rates):,.0f}–{max(rates):,.0f}",
                f"{rate / constant_rate:.2f}",
                "–" if peer == "redis-benchmark" else f"{server:.1f}",
                f"{redis:.1f}",
                f"{cpu:.1f}",
                f"{cpu / constant_cpu:.2f}",
                f"{results.total('throughput', 'failures', peer=peer):,}",
            )
        )
    heads = ["", "visits/s", "lowest–highest", "× constant", "server CPU, µs a visit"]
    heads += ["Redis CPU, µs a visit", "both, µs", "× constant", "failed"]
    return (
        "## Throughput and CPU\n\n"
        "`wrk -t1 -c64`, keep-alive, but for the original: Flask's development server closes each "
        "connection after its answer, and starts a thread for the next. CPU is user and system "
        "time of all threads, from `/proc/PID/stat`; *both* is the median of the runs' sums, which "
        "the sum of the two medians need not be. redis-benchmark sends INCR to Redis without any "
        "web server, not pipelined, over 64 connections.\n\n"
        "![Visits a second and CPU a visit](benchmark.svg)\n\n" + table(heads, rows)
    )


def _instructions(results: Results) -> str:
    rows = []
    for header in results.values("instructions", "header"):
        runs = results.select("instructions", header=header)
        ours, nginx = (
            results.median("instructions", "instructions", peer=peer, header=header)
            for peer in ("counter", "nginx")
        )
        rows.append(
            (
                f"{header} header, {runs[0]['request_bytes']} bytes",
                *(f"{ours:,.0f}", f"{nginx:,.0f}", f"{ours / nginx:.2f}"),
            )
        )
    return (
        "## Instructions a visit\n\n"
        "In user space, counted by callgrind: a long run less a short one, so that the start "
        "cancels out. 32 connections in lock step: each sends one visit, all answers are read, and "
        "again, on one processor, so that all visits of a round have arrived when the server looks for "
        "them. Redis's instructions are not in it.\n\n"
        + table(("", "counter", "nginx, constant", "ratio"), rows)
    )


def _named(results: Results) -> str:
    rows = [
        (f"`{path}`", f"{results.median('named', 'instructions', path=path):,.0f}")
        for path in results.values("named", "path")
    ]
    return (
        "## Instructions a request of a counter with a name\n\n"
        "Counted in the same way, with the plain header.\n\n" + table(("", "counter"), rows)
    )


def _latency(results: Results) -> str:
    members = ("p50", "p90", "p99", "p999", "max", "achieved")
    rows = []
    for arrangement in results.values("latency", "arrangement"):
        for peer in results.values("latency", "peer"):
            where = {"peer": peer, "arrangement": arrangement}
            values = [results.median("latency", member, **where) for member in members]
            rows.append(
                (
                    f"{_name(peer)}, {arrangement}",
                    *(f"{value:,.0f}" for value in values),
                    f"{results.total('latency', 'failures', **where):,}",
                )
            )
    run = results.runs["latency"][0]
    rate, grain = run["rate"], run["grain_us"]
    processors = results.environment.get("processors usable", "?")
    return (
        "## Latency at half of the counter's highest rate\n\n"
        f"An open loop of {rate:,.0f} visits a second over 64 connections, due at whole multiples "
        f"of {grain} µs: {rate * grain / 1e6:.1f} in the mean are due together, for either peer. "
        "That suits a server that counts in batches. Latency counts from when a visit was due, "
        "whether or not it could be sent then, so it is corrected for coordinated omission. "
        "Microseconds.\n\n"
        "Two arrangements in turn, for visitors mostly come from elsewhere, and on one machine the "
        "load either gets in the way of those who answer or takes a processor from them. *Shared*: "
        f"nothing is pinned; load, server and Redis run on the same {processors} processors, as in "
        "all other measurements here. This is what the promise is judged on. *Apart*: the load has "
        "a processor of its own, and server and Redis share the rest; nginx's constant, which asks "
        "no Redis, has that for itself.\n\n"
        + table(("", "p50", "p90", "p99", "p99.9", "highest", "achieved/s", "failed"), rows)
    )


def _lone(results: Results) -> str:
    names = {
        "nginx": "nginx, constant",
        "INCR": "INCR straight to Redis",
        "counter": "counter: a visit",
    }
    rows = [
        (
            name,
            *(
                f"{results.median('lone', member, peer=peer):.1f}"
                for member in ("p50", "p90", "p99")
            ),
        )
        for peer, name in names.items()
    ]
    return (
        "## A lone visit\n\n"
        "One connection, one request at a time, nothing else running; the same client for all. "
        "Microseconds.\n\n" + table(("", "p50", "p90", "p99"), rows)
    )


def _idle(results: Results) -> str:
    rows = []
    for peer in results.values("idle", "peer"):
        values = [
            results.median("idle", member, peer=peer) / KIB
            for member in ("few_bytes", "many_bytes", "bytes_a_connection")
        ]
        few, many, each = values
        rows.append((_name(peer), f"{few:,.0f}", f"{many:,.0f}", f"{each:.2f}"))
    run = results.runs["idle"][0]
    heads = ("", f"with {run['few']}, KiB", f"with {run['many']:,}, KiB", "each, KiB")
    return (
        "## Idle connections\n\n"
        "Resident memory of the server with keep-alive connections that made one visit each. The "
        "kernel's memory for sockets is not in it. nginx set aside its records of connections "
        "when it started, so they are in both of its first two numbers.\n\n" + table(heads, rows)
    )


def _active(results: Results) -> str:
    counts = sorted(results.values("active", "connections"))
    rows = []
    for peer in results.values("active", "peer"):
        for connections in counts:
            where = {"peer": peer, "connections": connections}
            rows.append(
                (
                    f"{_name(peer)}, {connections:,} connections",
                    f"{results.median('active', 'rate', **where):,.0f}",
                    *(
                        f"{results.median('active', f'{who}_cpu_us', **where):.1f}"
                        for who in ("server", "redis", "load")
                    ),
                    f"{results.total('active', 'failures', **where):,}",
                )
            )
    return (
        "## Active connections\n\n"
        "Visitors who ask again as soon as they are answered, counted by Redis or by nginx itself "
        "once all connections are open. The load is closedloop.c, which keeps a descriptor a "
        "connection and nothing else: wrk gets so much slower with 10,000 that it, and no server, "
        "would be what is measured. With 10,000 a visit waits over 40 ms, whoever serves, and the "
        "kernel sends an acknowledgement of its own before each answer: half as many packets "
        "more.\n\n"
        + table(("", "visits/s", "server CPU, µs a visit", "Redis", "load", "failed"), rows)
    )


def _scaling(results: Results) -> str:
    rows = []
    for peer in results.values("scaling", "peer"):
        for loops in results.values("scaling", "loops"):
            where = {"peer": peer, "loops": loops}
            batches = results.median("scaling", "calls_rate", **where)
            shares = [
                results.median("scaling", member, **where)
                for member in ("server_processors", "redis_processors", "wrk_processors")
            ]
            rows.append(
                (
                    f"{_name(peer)}, {loops} {'loop' if loops == 1 else 'loops'}",
                    f"{results.median('scaling', 'rate', **where):,.0f}",
                    f"{batches:,.0f}" if peer == "counter" else "–",
                    *(f"{share:.2f}" for share in shares),
                    f"{results.median('scaling', 'cpu_us', **where):.1f}",
                )
            )
    heads = ["", "visits/s", "batches/s", "processors: server", "Redis", "wrk"]
    heads.append("server and Redis, µs a visit")
    return f"## Two loops\n\n{_two_loops(results)}\n\n" + table(heads, rows)


def _two_loops(results: Results) -> str:
    """What a second loop did to the counter, in words that hold whatever was measured."""

    def value(member: str, loops: int) -> float:
        return results.median("scaling", member, peer="counter", loops=loops)

    def growth(member: str) -> float:
        return value(member, 2) / value(member, 1)

    processors = results.environment.get("processors usable", "?")
    return (
        "`wrk -t2 -c64`, the counter with `--threads 1` and `--threads 2`. Each loop has batches "
        f"of its own: with two loops Redis was asked {growth('calls_rate'):.1f} times as often, in "
        f"batches of {value('batch', 2):.1f} visits instead of {value('batch', 1):.1f}. There were "
        f"{growth('rate'):.2f} times as many visits a second, and each took "
        f"{growth('cpu_us'):.2f} times the processor time of server and Redis. A second loop pays "
        f"where it brings more than smaller batches cost; here it shares {processors} processors "
        "with the first, with Redis and with wrk. nginx's constant asks no Redis."
    )


def _start(results: Results) -> str:
    rows = []
    for peer in results.values("start", "peer"):
        times = [run["milliseconds"] for run in results.select("start", peer=peer)]
        rows.append(
            (
                _name(peer),
                f"{results.median('start', 'milliseconds', peer=peer):.1f}",
                f"{max(times):.1f}",
                f"{results.median('start', 'bytes', peer=peer) / KIB / KIB:.1f}",
            )
        )
    return (
        "## Start and rest\n\n"
        f"{results.settings['starts']} starts, from before the process is made to the first answer "
        "read. Resident memory 0.3 s later, shared libraries included.\n\n"
        + table(("", "to the first answer, ms", "longest, ms", "resident, MiB"), rows)
    )


def _batches(results: Results) -> str:
    rows = []
    for connections in results.values("batches", "connections"):
        rate, calls, batch, redis = (
            results.median("batches", member, peer="counter", connections=connections)
            for member in ("rate", "calls_rate", "batch", "redis_processors")
        )
        constant = results.median("batches", "rate", peer="nginx", connections=connections)
        row = (f"{connections:,}", f"{rate:,.0f}", f"{calls:,.0f}", f"{batch:.1f}", f"{redis:.2f}")
        rows.append((*row, f"{constant:,.0f}", f"{rate / constant:.2f}"))
    heads = ["connections", "visits/s", "batches/s", "visits a batch", "processors: Redis"]
    heads += ["nginx, constant, visits/s", "× constant"]
    return (
        "## Batches\n\n"
        "`wrk -t1`, one loop; a batch is an EVALSHA that Redis was sent (`INFO commandstats`).\n\n"
        + table(heads, rows)
    )


def _environment(results: Results) -> str:
    rows = results.environment.items()
    return "## Measured on\n\n| | |\n|---|---|\n" + "\n".join(f"| {k} | {v} |" for k, v in rows)


def _name(peer: str) -> str:
    return {"nginx": "nginx, constant", "counter": "counter"}[peer]


def _links(results: Results) -> str:
    rows = []
    for scene in results.values("links", "scene"):
        rate, server, redis, p50, p99, lone = (
            results.median("links", member, scene=scene)
            for member in ("rate", "server_cpu_us", "redis_cpu_us", "p50", "p99", "lone")
        )
        rows.append(
            (
                scene,
                f"{rate:,.0f}",
                f"{server:.1f}",
                f"{redis:.1f}",
                f"{p50:,.0f}",
                f"{p99:,.0f}",
                f"{lone:.1f}",
                f"{results.total('links', 'failures', scene=scene):,}",
            )
        )
    heads = ["", "visits/s", "server CPU, µs a visit", "Redis CPU, µs a visit", "p50, µs"]
    heads += ["p99, µs", "lone visit, µs", "failed"]
    return (
        "## Ways to reach Redis\n\n"
        "One loop, `wrk -t1 -c64`; latency at half of the rate of the plain connection, of one counter; "
        "the median round trip of a lone visit. Each way has a Redis of its own on 127.0.0.1; the CPU of Redis is "
        "that of all its processes.\n\n" + table(heads, rows)
    )


def _names(results: Results) -> str:
    rows = []
    for scene in results.values("names", "scene"):
        for peer in results.values("names", "peer"):
            runs = results.select("names", scene=scene, peer=peer)
            if not runs:
                continue
            rate, server, redis = (
                results.median("names", member, scene=scene, peer=peer)
                for member in ("rate", "server_cpu_us", "redis_cpu_us")
            )
            failures = results.total("names", "failures", scene=scene, peer=peer)
            rows.append(
                (
                    f"{scene}: {runs[0]['name']}",
                    *(f"{rate:,.0f}", f"{server:.1f}", f"{redis:.1f}", f"{failures:,}"),
                )
            )
    heads = ("", "hits/s", "server CPU, µs a hit", "Redis CPU, µs a hit", "failed")
    return (
        "## Counters with names\n\n"
        "`wrk -t1 -c64` with a script that draws the name of each request: `/hit/blog/p7` of the "
        "counter, `/INCR/blog:p7` of webdis. All counters exist before, unless the row says otherwise. The "
        "constant has the size and the header fields of a counter's answer, and no script.\n\n"
        + table(heads, rows)
    )


def _rare(results: Results) -> str:
    rows = []
    for kind, name in (("busy", "the busy one"), ("rare", "the other one")):
        members = [results.median("rare", member, kind=kind) for member in ("rate", "p50", "p99")]
        failures = results.total("rare", "failures", kind=kind)
        rows.append((name, *(f"{value:,.0f}" for value in members), f"{failures:,.0f}"))
    return (
        "## A counter beside a busy one\n\n"
        "Two counters at fixed rates; one gets nine of ten hits.\n\n"
        + table(("", "hits/s", "p50, µs", "p99, µs", "failed"), rows)
    )


def _flood(results: Results) -> str:
    rows = []
    for kind in results.values("flood", "kind"):
        p99, before, after = (
            results.median("flood", member, kind=kind)
            for member in ("p99_us", "resident_before", "resident_after")
        )
        rows.append(
            (f"beside hits of {kind}", f"{p99:,.0f}")
            + tuple(f"{size / 2**20:.1f}" for size in (before, after))
        )
    return (
        "## Names that are made up\n\n"
        "A server with `--max-counters 1000`, all of which exist. One visitor hits one of them, beside "
        "32 connections that hit the others, or a new name with each request, which is answered "
        "403. The load generator does the same work in both.\n\n"
        + table(("", "p99, µs", "resident before, MiB", "after"), rows)
    )


def _streams(results: Results) -> str:
    rows = []
    for kind in results.values("streams", "kind"):
        each = results.median("streams", "bytes_a_stream", kind=kind)
        rows.append((kind, f"{each / KIB:.2f}"))
    run = results.runs["streams"][0]
    return (
        "## Idle streams\n\n"
        f"Resident memory of the server after {run['streams']:,} streams had their first event and two "
        "seconds without another, less that after 100, for each stream more. All of them watch one "
        "counter, or each one of its own. The kernel's memory for sockets is not in it.\n\n"
        + table(("", "each, KiB"), rows)
    )


def _watchers(results: Results) -> str:
    rows = []
    for count in sorted(results.values("watchers", "watchers")):
        rate, events = (
            results.median("watchers", member, watchers=count) for member in ("rate", "events_rate")
        )
        failures = results.total("watchers", "failures", watchers=count)
        rows.append((f"{count:,} watchers", f"{rate:,.0f}", f"{events:,.0f}", f"{failures:,}"))
    return (
        "## Watchers of a busy counter\n\n"
        "`wrk -t1 -c64` hits one counter with a name, while streams of it are read by watchers.c. The "
        "readers take their part of the same processors.\n\n"
        + table(("", "hits/s", "events/s", "failed"), rows)
    )
