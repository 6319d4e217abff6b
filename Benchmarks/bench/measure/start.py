"""From the start of the process to its first answer, and its memory at rest."""

import socket
import time

from .. import lock_step, peers
from ..bench import Bench, Run, say
from ..processes import BenchmarkError

LIMIT = 20


def measure(bench: Bench) -> list[Run]:
    """A run a server and start: milliseconds to the first answer, resident bytes soon after."""
    runs = []
    for turn in range(1, bench.settings.starts + 1):
        for peer in (peers.nginx_constant(), peers.counter()):
            began = time.monotonic()
            server = peer.start_on_free_port(bench)
            try:
                _wait_for_answer(server)
                took = time.monotonic() - began
                time.sleep(0.3)
                memory = server.process.resident_memory()
            finally:
                server.process.stop()
            runs.append(
                {"peer": peer.key, "round": turn, "milliseconds": took * 1e3, "bytes": memory}
            )
    say(f"  {len(runs)} starts")
    return runs


def _wait_for_answer(server: peers.Server) -> None:
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        if not server.process.is_running():
            break
        with socket.socket() as connection:
            connection.settimeout(LIMIT)
            try:
                connection.connect(("127.0.0.1", server.port))
            except ConnectionRefusedError:
                time.sleep(0.0005)
                continue
            connection.sendall(lock_step.PLAIN)
            if connection.recv(4096).startswith(b"HTTP/1.1 200 "):
                return
            raise BenchmarkError(f"the first answer of {server.process.name} was not 200")
    raise server.process.failure("did not answer")
