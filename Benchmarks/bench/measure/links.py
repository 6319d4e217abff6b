"""The counter with each way of reaching Redis, in turn: what TLS, a replica that is waited for and a Cluster
cost beside a plain connection."""

import dataclasses
from collections.abc import Callable

from .. import load, peers
from ..bench import Bench, Run, median, say
from ..processes import free_port, wait_until
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


def _replica(bench: Bench) -> Link:
    primary = RedisServer(bench.processes, PROMPT)
    replica = RedisServer(bench.processes, ["--replicaof", "127.0.0.1", str(primary.port)])
    _await(replica, "replication", "master_link_status:up")
    return Link(
        f"redis://127.0.0.1:{primary.port}", ("--min-replicas", "1"), (primary, replica)
    )


def _tls(bench: Bench) -> Link:
    """TLS 1.3 and a certificate with an elliptic curve, as redis-server and OpenSSL choose them."""
    certificate, flags = _certificate(bench)
    port = free_port()
    redis = RedisServer(bench.processes, ["--tls-port", str(port), *flags])
    return Link(f"rediss://127.0.0.1:{port}", ("--redis-ca", certificate), (redis,))


def _tls_replica(bench: Bench) -> Link:
    """With an encrypted connection between primary and replica, too."""
    certificate, flags = _certificate(bench)
    flags += ["--tls-replication", "yes"]
    port = free_port()
    primary = RedisServer(bench.processes, [*PROMPT, "--tls-port", str(port), *flags])
    replica = RedisServer(bench.processes, [*flags, "--replicaof", "127.0.0.1", str(port)])
    _await(replica, "replication", "master_link_status:up")
    return Link(
        f"rediss://127.0.0.1:{port}",
        ("--redis-ca", certificate, "--min-replicas", "1"),
        (primary, replica),
    )


def _cluster(bench: Bench) -> Link:
    # Redis would add 10,000 to the port of the node for that of the nodes' own connections.
    ports = [free_port() for _ in range(3)]
    nodes = [
        RedisServer(bench.processes, ["--cluster-enabled", "yes", "--cluster-port", str(port)])
        for port in ports
    ]
    for node, slots in zip(nodes, ("0 5460", "5461 10922", "10923 16383"), strict=True):
        node.ask("CLUSTER", "ADDSLOTSRANGE", *slots.split())
        node.ask("CLUSTER", "MEET", "127.0.0.1", str(nodes[0].port), str(ports[0]))
    for node in nodes:
        wait_until(
            lambda node=node: "cluster_state:ok" in node.ask("CLUSTER", "INFO"), node.process, 30
        )
    return Link(f"redis://127.0.0.1:{nodes[0].port}", (), tuple(nodes))


PROMPT = ("--repl-diskless-sync-delay", "0")


def _await(redis: RedisServer, section: str, line: str) -> None:
    wait_until(lambda: line in redis.ask("INFO", section), redis.process, 30)


def _certificate(bench: Bench) -> tuple[str, list[str]]:
    """The file of a certificate that signs itself, and the flags of a redis-server that shows it."""
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
    return certificate, [
        *("--tls-auth-clients", "no", "--tls-cert-file", certificate, "--tls-key-file", key),
        *("--tls-ca-cert-file", certificate),
    ]


@dataclasses.dataclass(frozen=True)
class Scene:
    """A way to reach Redis, and how many counters are visited; none: that of `/`."""

    start: Callable[[Bench], Link]
    counters: int = 0

    def peer(self, link: Link) -> peers.Peer:
        """The counter."""
        peer = peers.counter(flags=link.flags, redis=link.url)
        return dataclasses.replace(peer, path="/hit/blog/p0") if self.counters else peer

    def wrk(self, bench: Bench, server: peers.Server, seconds: int) -> load.WrkResult:
        """Keeps the counter busy."""
        if not self.counters:
            return load.wrk(bench, server, CONNECTIONS, seconds)
        script = ["-s", str(bench.benchmarks / "peers" / "names.lua")]
        arguments = ["/hit/blog/p", str(self.counters), "uniform"]
        return load.wrk(bench, server, CONNECTIONS, seconds, 1, script, arguments)


SCENES = {
    PLAIN: Scene(_plain),
    "one replica waited for": Scene(_replica),
    "TLS": Scene(_tls),
    "TLS and one replica": Scene(_tls_replica),
    "Cluster of three": Scene(_cluster),
    "plain, 1,000 counters": Scene(_plain, 1_000),
    "Cluster of three, 1,000 counters": Scene(_cluster, 1_000),
}


def measure(bench: Bench) -> list[Run]:
    """A run a scene and round: rate and CPU under full load, latency at half the rate of the plain
    connection, and the round trip of a lone visit."""
    links = {name: scene.start(bench) for name, scene in SCENES.items()}
    runs: list[Run] = []
    for turn in range(1, bench.settings.rounds + 1):
        for name, link in links.items():
            full = _full_load(bench, SCENES[name], link)
            plain = [run["rate"] for run in runs if run["scene"] == PLAIN] or [full["rate"]]
            run = full | _latency(bench, SCENES[name], link, round(median(plain) / 2))
            runs.append({"scene": name, "round": turn, **run})
            say(
                f"  round {turn}: {name}: {run['rate']:,.0f} visits/s, p99 {run['p99']:.0f} us, "
                f"lone {run['lone']:.1f} us, {run['failures']:.0f} failed"
            )
    for link in links.values():
        for server in link.servers:
            server.process.stop()
    return runs


def _full_load(bench: Bench, scene: Scene, link: Link) -> Run:
    with scene.peer(link).running(bench) as server:
        scene.wrk(bench, server, 1)
        server_cpu, redis_cpu = server.process.cpu(), link.cpu()
        result = scene.wrk(bench, server, bench.settings.seconds)
        visits = max(1, result.visits)
        return {
            "rate": result.rate,
            "failures": result.failures,
            "server_cpu_us": (server.process.cpu() - server_cpu) / visits * 1e6,
            "redis_cpu_us": (link.cpu() - redis_cpu) / visits * 1e6,
        }


def _latency(bench: Bench, scene: Scene, link: Link, rate: int) -> Run:
    seconds = bench.settings.seconds
    with scene.peer(link).running(bench) as server:
        command = load.open_loop_command(bench, server, CONNECTIONS, max(1, rate), seconds)
        loaded = load.open_loop_result(bench, command, seconds)
        lone = load.round_trips(bench, "http", server.port, max(1, seconds // 2))
        return {"p50": loaded["p50"], "p99": loaded["p99"], "lone": lone["p50"]}
