"""A private Redis and the program, running, for the tests of docs/openapi.yaml."""

import http.client
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
from typing import Any

import yaml

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ["COUNTER_EXECUTABLE"]
DOCUMENT = REPOSITORY / "docs/openapi.yaml"

# How long anything may take, in seconds.
LIMIT = 10

TOKENS = """\
* admin-token-0123456789
blog blog-token-0123456789
shop shop-token-0123456789
"""


def document() -> dict[str, Any]:
    return yaml.safe_load(DOCUMENT.read_text())


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Running:
    """A Redis in a folder of its own, and any number of counters that count in it."""

    def __init__(self) -> None:
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="counter-openapi-"))
        self.processes: list[subprocess.Popen[bytes]] = []
        self.redis_port = free_port()
        redis = shutil.which("redis-server") or "/usr/bin/redis-server"
        self.start(
            redis, "--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", "",
            "--dir", str(self.folder))  # fmt: skip
        self.wait("Redis", lambda: self.redis("PING") == b"+PONG\r\n")

    def start(self, *command: str) -> None:
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.processes.append(process)

    def counter(self, *flags: str) -> int:
        """Starts a counter, and returns its port."""
        port = free_port()
        tokens = self.folder / "tokens"
        tokens.write_text(TOKENS)
        self.start(
            PROGRAM, "--host", "127.0.0.1", "--port", str(port), "--metrics-port", "0",
            "--redis", f"redis://127.0.0.1:{self.redis_port}", "--tokens", str(tokens), *flags)  # fmt: skip
        self.wait("the counter", lambda: self.status(port, "/ready") == 200)
        return port

    def status(self, port: int, path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()

    def redis(self, command: str) -> bytes:
        """Sends a command to Redis, and returns its reply of one line."""
        with socket.create_connection(("127.0.0.1", self.redis_port), timeout=LIMIT) as connection:
            connection.sendall(command.encode() + b"\r\n")
            return connection.makefile("rb").readline()

    def wait(self, what: str, is_there: Any) -> None:
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            try:
                if is_there():
                    return
            except OSError:
                pass
            time.sleep(0.02)
        self.end()
        raise TimeoutError(f"{what} does not answer")

    def end(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait(LIMIT)
        shutil.rmtree(self.folder, ignore_errors=True)
