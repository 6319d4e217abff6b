"""The counter with each way of reaching Redis, in turn: what TLS costs beside a plain connection."""

import dataclasses
from collections.abc import Callable

from .. import load, peers
from ..bench import Bench, Run, median, say
from ..processes import free_port
from ..redis_server import RedisServer

CONNECTIONS = 64
PLAIN = "plain"


@dataclasses.dataclass(frozen=True)
class Link:
    """A Redis, and how the counter is told to reach it."""

    url: str
    flags: tuple[str, ...]
    servers: tuple[RedisServer, ...]
    """All whose processor time counts; the first is the one that visits are counted in."""

    def cpu(self) -> float:
        """Seconds of CPU that Redis has taken."""
        return sum(server.process.cpu() for server in self.servers)


def _plain(bench: Bench) -> Link:
    redis = RedisServer(bench.processes)
    return Link(f"redis://127.0.0.1:{redis.port}", (), (redis,))


def _tls(bench: Bench) -> Link:
    """TLS 1.3 and a certificate with an elliptic curve, as redis-server and OpenSSL choose them."""
    folder = bench.processes.new_folder("certificate")
    key, certificate = str(folder / "redis.key"), str(folder / "redis.pem")
    bench.processes.run(
        "openssl",
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=redis"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate),
        ],
        limit=30,
    )
    port = free_port()
    redis = RedisServer(
        bench.processes,
        [
            *("--tls-port", str(port), "--tls-auth-clients", "no"),
            *("--tls-cert-file", certificate, "--tls-key-file", key),
            *("--tls-ca-cert-file", certificate),
        ],
    )
    return Link(f"rediss://127.0.0.1:{port}", ("--redis-ca", certificate), (redis,))


SCENES: dict[str, Callable[[Bench], Link]] = {PLAIN: _plain, "TLS": _tls}


def measure(bench: Bench) -> list[Run]:
    """A run a scene and round: rate and CPU under full load, latency at half the rate of the plain
    connection, and the round trip of a lone visit."""
    links = {scene: start(bench) for scene, start in SCENES.items()}
    runs: list[Run] = []
    for turn in range(1, bench.settings.rounds + 1):
        for scene, link in links.items():
            full = _full_load(bench, link)
            plain = [run["rate"] for run in runs if run["scene"] == PLAIN] or [full["rate"]]
            run = full | _latency(bench, link, round(median(plain) / 2))
            runs.append({"scene": scene, "round": turn, **run})
            say(
                f"  round {turn}: {scene}: {run['rate']:,.0f} visits/s, p99 {run['p99']:.0f} us, "
                f"lone {run['lone']:.1f} us, {run['failures']:.0f} failed"
            )
    for link in links.values():
        for server in link.servers:
            server.process.stop()
    return runs


def _full_load(bench: Bench, link: Link) -> Run:
    with peers.counter(flags=link.flags, redis=link.url).running(bench) as server:
        load.wrk(bench, server, CONNECTIONS, 1)
        server_cpu, redis_cpu = server.process.cpu(), link.cpu()
        result = load.wrk(bench, server, CONNECTIONS, bench.settings.seconds)
        visits = max(1, result.visits)
        return {
            "rate": result.rate,
            "failures": result.failures,
            "server_cpu_us": (server.process.cpu() - server_cpu) / visits * 1e6,
            "redis_cpu_us": (link.cpu() - redis_cpu) / visits * 1e6,
        }


def _latency(bench: Bench, link: Link, rate: int) -> Run:
    seconds = bench.settings.seconds
    with peers.counter(flags=link.flags, redis=link.url).running(bench) as server:
        command = load.open_loop_command(bench, server, CONNECTIONS, max(1, rate), seconds)
        loaded = load.open_loop_result(bench, command, seconds)
        lone = load.round_trips(bench, "http", server.port, max(1, seconds // 2))
        return {"p50": loaded["p50"], "p99": loaded["p99"], "lone": lone["p50"]}
