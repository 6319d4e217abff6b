"""A lone visit on an idle server, beside the two round trips it cannot do without."""

from .. import load, peers
from ..bench import Bench, Run, say
from ..processes import Process


def measure(bench: Bench) -> list[Run]:
    """A run a server and round: percentiles of the round trip, in microseconds."""
    runs: list[Run] = []
    seconds = max(1, bench.settings.seconds // 2)

    def run(peer: str, protocol: str, port: int, turn: int) -> None:
        result = load.round_trips(bench, protocol, port, seconds)
        runs.append({"peer": peer, "round": turn, **result})
        say(f"  round {turn}: {peer}: {result['p50']:.1f} us")

    with peers.nginx_constant().running(bench) as nginx, peers.counter().running(bench) as counter:
        processes: list[Process] = [nginx.process, counter.process]
        for turn in range(1, bench.settings.rounds + 1):
            run("nginx", "http", nginx.port, turn)
            run("INCR", "redis", bench.redis.port, turn)
            run("counter", "http", counter.port, turn)
        for process in processes:
            if not process.is_running():
                raise process.failure("ended while it was measured")
    return runs
