"""What a browser talks to in these tests: a private Redis, the program, and web sites.

Everything listens on 127.0.0.1 only. The browser is told that each host name stands for this address.
"""

import http.client
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Callable

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("COUNTER_EXECUTABLE", str(REPOSITORY / ".build/release/counter"))

# How long anything may take, in seconds.
LIMIT = 10


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_for(what: str, is_there: Callable[[], object], limit: float = LIMIT) -> None:
    """Waits until a condition holds. While nobody listens who could be asked, it does not hold."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        try:
            if is_there():
                return
        except OSError:
            pass
        time.sleep(0.02)
    raise TimeoutError(f"{what}: not within {limit} s")


class Server:
    """A server program. It can be stopped and started again on the same port, and paused."""

    def __init__(self, name: str) -> None:
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"counter-{name}-"))
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, *command: str) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # fmt: skip

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def stop(self) -> None:
        """Ends the program; nobody listens on its port then."""
        if self.process is None:
            return
        # A paused process hears nothing else.
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait(LIMIT)
        self.process = None

    def pause(self) -> None:
        """The program goes on listening, and answers nothing until `resume`."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Redis(Server):
    """A private redis-server, whose numbers outlive a restart."""

    def __init__(self) -> None:
        super().__init__("redis")
        self.start()

    def start(self) -> None:
        program = shutil.which("redis-server") or "/usr/bin/redis-server"
        self.run(
            program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
            "--appendonly", "yes", "--appendfsync", "always", "--dir", str(self.folder))  # fmt: skip
        wait_for("Redis", lambda: self.command("PING") == b"+PONG\r\n")

    def command(self, command: str) -> bytes:
        """Sends a command, and returns its reply of one line."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT) as connection:
            connection.sendall(command.encode() + b"\r\n")
            return connection.makefile("rb").readline()


class Counter(Server):
    """The program. Browsers know it as `counter.example`."""

    host = "counter.example"

    def __init__(self, redis: Redis, *flags: str) -> None:
        super().__init__("program")
        self.redis = redis
        self.start(*flags)

    def start(self, *flags: str) -> None:
        """Starts it, on the same port each time, and waits until it counts."""
        self.run(
            PROGRAM, "--host", "127.0.0.1", "--port", str(self.port), "--metrics-port", "0",
            "--threads", "1", "--redis", f"redis://127.0.0.1:{self.redis.port}", *flags)  # fmt: skip
        wait_for("the counter", lambda: self.ask("GET", "/ready")[0] == 200)

    def restart(self, *flags: str) -> None:
        self.stop()
        self.start(*flags)

    @property
    def address(self) -> str:
        """The address that a browser opens, without a slash at its end."""
        return f"http://{self.host}:{self.port}"

    def ask(self, method: str, target: str, fields: dict[str, str] = {}) -> tuple[int, str]:
        """Sends a request as a program would, and returns the status and the body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
        try:
            connection.request(method, target, headers=fields)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def number(self, namespace: str, key: str) -> int:
        """The number of a counter; 0 when there is none."""
        query = urllib.parse.urlencode({"key": key})
        status, body = self.ask("GET", f"/get/{namespace}?{query}")
        return json.loads(body)["value"] if status == 200 else 0

    def hit(self, namespace: str, key: str) -> int:
        query = urllib.parse.urlencode({"key": key})
        return json.loads(self.ask("POST", f"/hit/{namespace}?{query}")[1])["value"]


# A page: its HTML, or its header fields and its HTML.
Page = str | tuple[dict[str, str], str]


class Site:
    """Web sites of static pages: for each host and path a page, served on one port."""

    def __init__(self) -> None:
        self.pages: dict[tuple[str, str], Page] = {}
        # The page of all other paths.
        self.anything: Page | None = None
        # The host and the path of each request, in order.
        self.requests: list[tuple[str, str]] = []
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                host = self.headers["Host"].rpartition(":")[0]
                path = self.path.partition("?")[0]
                site.requests.append((host, self.path))
                picture = "" if path == "/favicon.ico" else None
                page = site.pages.get(
                    (host, path), picture if picture is not None else site.anything
                )
                fields, body = ({}, page) if not isinstance(page, tuple) else page
                fields = {"Content-Type": "text/html; charset=utf-8", **fields}
                content = (body or "").encode()
                self.send_response(404 if page is None else 200)
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        # The argument is how often it looks whether it is to end, in seconds.
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def serve(self, host: str, pages: dict[str, Page]) -> None:
        """Adds pages, by path, of a host such as `blog.example`."""
        self.pages |= {(host, path): page for path, page in pages.items()}

    def origin(self, host: str) -> str:
        """The origin of a host; an address begins with it."""
        return f"http://{host}:{self.port}"

    def end(self) -> None:
        self.server.shutdown()
        self.server.server_close()
