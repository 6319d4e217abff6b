"""What must hold, beside what was measured."""

import dataclasses

from .bench import median
from .results import Results

KIB = 1024
MIB = 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Target:
    """One promise and its outcome."""

    what: str
    wanted: str
    measured: str
    verdict: str


def targets(results: Results) -> list[Target]:
    """The targets of all that was measured."""
    found: list[Target] = []
    if results.has("instructions"):
        found += _instructions(results)
    if results.has("throughput"):
        found += _throughput(results)
    if results.has("latency"):
        found += _latency(results)
    if results.has("lone"):
        found.append(_lone(results))
    if results.has("idle"):
        found.append(_idle(results))
    if results.has("active"):
        found.append(_active(results))
    if results.has("scaling"):
        found.append(_scaling(results))
    if results.has("start"):
        found += _start(results)
    if results.has("batches"):
        found.append(_batches(results))
    if results.has("links"):
        found += _links(results)
    if results.has("names"):
        found += _names(results)
    if results.has("named"):
        found.append(_named(results))
    if results.has("rare"):
        found.append(_rare(results))
    if results.has("flood"):
        found += _flood(results)
    if results.has("images"):
        found += _images(results)
    if results.has("streams"):
        found += _streams(results)
    if results.has("watchers"):
        found.append(_watchers(results))
    return found


def _verdict(holds: bool, aim: bool | None = None) -> str:
    if not holds:
        return "**not met**"
    return "met" if aim is None else f"met, aim {'met' if aim else 'missed'}"


def _instructions(results: Results) -> list[Target]:
    found = []
    for header, most, aim in (("plain", 3000, 2500), ("browser", 5000, None)):
        ours = results.median("instructions", "instructions", peer="counter", header=header)
        nginx = results.median("instructions", "instructions", peer="nginx", header=header)
        size = results.select("instructions", header=header)[0]["request_bytes"]
        wanted = f"at most {most:,}" + (f", aim {aim:,}" if aim else "")
        found.append(
            Target(
                f"instructions in user space a visit, {header} header of {size} bytes",
                wanted,
                f"{ours:,.0f} (nginx's constant: {nginx:,.0f})",
                _verdict(ours <= most, ours <= aim if aim else None),
            )
        )
    return found


def _throughput(results: Results) -> list[Target]:
    cpu = results.cpu("counter")
    constant = results.cpu("nginx")
    ratio = cpu / constant
    found = [
        Target(
            "CPU of server and Redis a visit, beside nginx's constant",
            "at most 1.15 times, aim below 1.0",
            f"{ratio:.2f} times ({cpu:.1f} against {constant:.1f} µs)",
            _verdict(ratio <= 1.15, ratio < 1.0),
        )
    ]
    rate = results.median("throughput", "rate", peer="counter")
    for peer, name, least in (
        ("webdis", "webdis", 2.5),
        ("lua", "nginx + Lua", 2.5),
        ("redis-benchmark", "redis-benchmark's INCR, not pipelined", 1.0),
    ):
        other = results.median("throughput", "rate", peer=peer)
        holds = rate / other >= least if least > 1 else rate > other
        found.append(
            Target(
                f"visits a second, one loop, beside {name}",
                f"at least {least} times" if least > 1 else "more",
                f"{rate / other:.2f} times ({rate:,.0f} against {other:,.0f})",
                _verdict(holds),
            )
        )
    failures = results.total("throughput", "failures", peer="counter")
    found.append(
        Target("failed visits in these runs", "none", f"{failures:,}", _verdict(failures == 0))
    )
    return found


def _latency(results: Results) -> list[Target]:
    """Promised while the load shares the processors, as it does in all other measurements."""
    found = []
    rate = results.runs["latency"][0]["rate"]
    for arrangement in results.values("latency", "arrangement"):
        ours, nginx = (
            results.median("latency", "p99", peer=peer, arrangement=arrangement)
            for peer in ("counter", "nginx")
        )
        promised = arrangement == "shared"
        where = "" if promised else ", the load on a processor of its own"
        found.append(
            Target(
                f"p99 latency at {rate:,.0f} visits a second{where}, beside nginx's constant",
                "at most 1.5 times" if promised else "stated",
                f"{ours / nginx:.2f} times ({ours:,.0f} against {nginx:,.0f} µs)",
                _verdict(ours / nginx <= 1.5) if promised else "stated",
            )
        )
    return found


def _lone(results: Results) -> Target:
    ours = results.median("lone", "p50", peer="counter")
    parts = [results.median("lone", "p50", peer=peer) for peer in ("INCR", "nginx")]
    ratio = ours / sum(parts)
    return Target(
        "a lone visit, beside an INCR and an nginx constant round trip together",
        "at most 1.10 times",
        f"{ratio:.2f} times ({ours:.1f} against {parts[0]:.1f} + {parts[1]:.1f} µs)",
        _verdict(ratio <= 1.10),
    )


def _idle(results: Results) -> Target:
    ours = results.median("idle", "bytes_a_connection", peer="counter")
    nginx = results.median("idle", "bytes_a_connection", peer="nginx")
    many = results.runs["idle"][0]["many"]
    return Target(
        f"resident memory of each of {many:,} idle connections",
        "under 1.5 KiB",
        f"{ours / KIB:.2f} KiB (nginx: {nginx / KIB:.2f} KiB)",
        _verdict(ours < 1.5 * KIB),
    )


def _active(results: Results) -> Target:
    few, *_, many = sorted(results.values("active", "connections"))

    def share(peer: str) -> float:
        rates = [results.median("active", "rate", peer=peer, connections=n) for n in (many, few)]
        return rates[0] / rates[1]

    return Target(
        f"rate with {many:,} active connections, beside that with {few:,}",
        "at least 80 %",
        f"{share('counter'):.0%} (nginx's constant: {share('nginx'):.0%})",
        _verdict(share("counter") >= 0.8),
    )


def _scaling(results: Results) -> Target:
    def growth(peer: str) -> float:
        rates = [results.median("scaling", "rate", peer=peer, loops=loops) for loops in (2, 1)]
        return rates[0] / rates[1]

    processors = results.environment.get("processors usable", "?")
    return Target(
        f"two loops beside one, with wrk and Redis on the same {processors} processors",
        "stated",
        f"{growth('counter'):.2f} times the visits a second "
        f"(nginx's constant: {growth('nginx'):.2f})",
        "stated",
    )


def _start(results: Results) -> list[Target]:
    ours = results.median("start", "milliseconds", peer="counter")
    nginx = results.median("start", "milliseconds", peer="nginx")
    memory = results.median("start", "bytes", peer="counter") / MIB
    nginx_memory = results.median("start", "bytes", peer="nginx") / MIB
    return [
        Target(
            "process start to first answer, Redis up",
            "under 50 ms",
            f"{ours:.1f} ms (nginx's constant: {nginx:.1f} ms)",
            _verdict(ours < 50),
        ),
        Target(
            "resident memory at rest",
            "under 15 MiB",
            f"{memory:.1f} MiB (nginx: {nginx_memory:.1f} MiB)",
            _verdict(memory < 15),
        ),
    ]


def _batches(results: Results) -> Target:
    connections = results.values("batches", "connections")

    def value(member: str, count: int) -> float:
        return results.median("batches", member, peer="counter", connections=count)

    few, many = 16, max(connections)
    visits = value("rate", many) / value("rate", few)
    calls = value("calls_rate", many) / value("calls_rate", few)
    return Target(
        f"Redis round trips a second with {many:,} connections, beside {few}",
        "do not grow",
        f"{calls:.2f} times, for {visits:.2f} times the visits",
        _verdict(calls <= 1.1),
    )


LINK_SHARES = {"one replica waited for": 2 / 3, "TLS": 0.9}
"""The least share of the plain connection's visits a second that each scene must reach."""


def _links(results: Results) -> list[Target]:
    plain = results.median("links", "rate", scene="plain")
    found = []
    for scene, least in LINK_SHARES.items():
        rate = results.median("links", "rate", scene=scene)
        found.append(
            Target(
                f"visits a second, Redis reached with: {scene}; beside a plain connection",
                f"at least {least:.0%}",
                f"{rate / plain:.0%} ({rate:,.0f} against {plain:,.0f})",
                _verdict(rate >= least * plain),
            )
        )
    return found


def _names(results: Results) -> list[Target]:
    """Beside webdis on the same keys, and beside nginx's constant of the same size."""

    def cpu(peer: str) -> float:
        return median(
            run["server_cpu_us"] + run["redis_cpu_us"]
            for run in results.select("names", scene="one counter", peer=peer)
        )

    ratio = cpu("counter") / cpu("nginx")
    found = [
        Target(
            "CPU of server and Redis a hit of one counter with a name, beside nginx's constant",
            "at most 1.25 times",
            f"{ratio:.2f} times ({cpu('counter'):.1f} against {cpu('nginx'):.1f} µs)",
            _verdict(ratio <= 1.25),
        )
    ]
    def beside_webdis(member: str, scene: str) -> tuple[float, float]:
        ours, other = (
            results.median("names", member, scene=scene, peer=peer)
            for peer in ("counter", "webdis")
        )
        return ours, other

    for scene in results.values("names", "scene"):
        if "none exists" in scene:
            continue
        least = 2.2 if scene == "one counter" else 2.0
        ours, other = beside_webdis("rate", scene)
        found.append(
            Target(
                f"hits a second, {scene}, beside webdis",
                f"at least {least} times",
                f"{ours / other:.2f} times ({ours:,.0f} against {other:,.0f})",
                _verdict(ours / other >= least),
            )
        )
        if scene == "one counter":
            continue
        ours, other = beside_webdis("redis_cpu_us", scene)
        found.append(
            Target(
                f"CPU of Redis a hit, {scene}, beside webdis",
                "no more",
                f"{ours / other:.2f} times ({ours:.1f} against {other:.1f} µs)",
                _verdict(ours <= other),
            )
        )
    return found


def _named(results: Results) -> Target:
    """What a name costs, in instructions."""
    hit = results.median("named", "instructions", path="/hit/blog/home")
    return Target(
        "instructions in user space of `/hit/blog/home`, plain header",
        "at most 3,300",
        f"{hit:,.0f}",
        _verdict(hit <= 3300),
    )


def _rare(results: Results) -> Target:
    """A busy counter must not make others wait."""
    busy, rare = (results.median("rare", "p99", kind=kind) for kind in ("busy", "rare"))
    return Target(
        "p99 of a counter with a tenth of the hits, beside that of the one with the others",
        "no more",
        f"{rare / busy:.2f} times ({rare:,.0f} against {busy:,.0f} µs)",
        _verdict(rare <= busy),
    )


def _images(results: Results) -> list[Target]:
    """A badge is mostly a hit."""
    json = results.median("images", "server_cpu_us", kind="JSON")
    found = []
    for kind in ("badge", "badge with a label and a colour"):
        cpu = results.median("images", "server_cpu_us", kind=kind)
        found.append(
            Target(
                f"CPU of a {kind}, beside a hit as JSON",
                "at most 1.5 times",
                f"{cpu / json:.2f} times ({cpu:.1f} against {json:.1f} µs)",
                _verdict(cpu <= 1.5 * json),
            )
        )
    return found


def _flood(results: Results) -> list[Target]:
    """Made-up names must cost others nothing."""
    existing, invented = (
        results.median("flood", "p99_us", kind=kind)
        for kind in ("existing names", "invented names")
    )
    growth = results.median("flood", "resident_after", kind="invented names") / results.median(
        "flood", "resident_before", kind="invented names"
    )
    return [
        Target(
            "p99 of another visitor beside 32 connections that make names up, not hit existing ones",
            "at most 1.1 times",
            f"{invented / existing:.2f} times ({invented:,.0f} against {existing:,.0f} µs)",
            _verdict(invented <= existing * 1.1),
        ),
        Target(
            "resident memory after those names",
            "at most 1.1 times",
            f"{growth:.2f} times",
            _verdict(growth <= 1.1),
        ),
    ]


def _streams(results: Results) -> list[Target]:
    found = []
    for kind in results.values("streams", "kind"):
        each = results.median("streams", "bytes_a_stream", kind=kind)
        streams = results.runs["streams"][0]["streams"]
        found.append(
            Target(
                f"resident memory of each of {streams:,} idle streams, {kind}",
                "under 2 KiB",
                f"{each / KIB:.2f} KiB",
                _verdict(each < 2 * KIB),
            )
        )
    return found


def _watchers(results: Results) -> Target:
    alone, *_, many = sorted(results.values("watchers", "watchers"))
    rates = [results.median("watchers", "rate", watchers=count) for count in (many, alone)]
    return Target(
        f"hits a second of a counter that {many:,} streams watch, beside one that nobody watches",
        "at least 90 %",
        f"{rates[0] / rates[1]:.0%} ({rates[0]:,.0f} against {rates[1]:,.0f})",
        _verdict(rates[0] >= 0.9 * rates[1]),
    )
