"""The servers that are measured, each counting in the same Redis."""

import contextlib
import dataclasses
import json
import pathlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from .processes import Process, answers, free_port, wait_until

if TYPE_CHECKING:
    from .bench import Bench

CONNECTIONS = 1024
TEXT = "Hello World! I have been seen 1234567 times."


@dataclasses.dataclass(frozen=True)
class Server:
    """A running peer."""

    process: Process
    port: int
    path: str

    @property
    def url(self) -> str:
        """Where a visit goes."""
        return f"http://127.0.0.1:{self.port}{self.path}"


@dataclasses.dataclass(frozen=True)
class Peer:
    """Something that answers visits: its name in tables, and how it is started on a port."""

    key: str
    name: str
    path: str
    start: Callable[["Bench", int], Process]
    """Starts it, on the port."""

    def start_on_free_port(self, bench: "Bench") -> Server:
        """Starts it without waiting."""
        port = free_port()
        return Server(self.start(bench, port), port, self.path)

    @contextlib.contextmanager
    def running(self, bench: "Bench", limit: float = 20) -> Iterator[Server]:
        """Starts it, waits up to `limit` seconds for its first answer, and stops it at the end."""
        server = self.start_on_free_port(bench)
        try:
            wait_until(lambda: answers(server.port, server.path), server.process, limit)
            yield server
        finally:
            server.process.stop()


def _fill(template: pathlib.Path, **words: object) -> str:
    text = template.read_text()
    for word, value in words.items():
        text = text.replace(f"@{word}@", str(value))
    return text


def _nginx(
    bench: "Bench",
    port: int,
    answer: str,
    modules: str = "",
    connections: int = CONNECTIONS,
    workers: int = 1,
    prefix: tuple[str, ...] = (),
) -> Process:
    """nginx; a single worker is the whole process, without a master.

    It closes idle connections when less than a sixteenth of its records for them is free, so it is
    given a quarter more than it needs.
    """
    folder = bench.processes.new_folder("nginx")
    configuration = folder / "nginx.conf"
    configuration.write_text(
        _fill(
            bench.benchmarks / "peers" / "nginx.conf",
            answer=answer.replace("@folder@", str(folder)),
            modules=modules,
            workers=workers,
            master="on" if workers > 1 else "off",
            connections=connections * 5 // 4,
            folder=folder,
            port=port,
        )
    )
    (folder / "visit.lua").write_text(
        _fill(bench.benchmarks / "peers" / "visit.lua", redis_port=bench.redis.port)
    )
    return bench.processes.start(
        "nginx",
        [*prefix, "/usr/sbin/nginx", "-p", str(folder), "-c", str(configuration)]
        + ["-e", str(folder / "error.log")],
    )


def nginx_constant(
    connections: int = CONNECTIONS, workers: int = 1, prefix: tuple[str, ...] = ()
) -> Peer:
    """nginx returning a constant of a visit's size, with the header fields of a visit."""

    def start(bench: "Bench", port: int) -> Process:
        return _nginx(
            bench,
            port,
            f'return 200 "{TEXT}\\n";',
            connections=connections,
            workers=workers,
            prefix=prefix,
        )

    return Peer("nginx", "nginx, constant", "/", start)


def nginx_json() -> Peer:
    """nginx returning a constant of the size of a counter's answer, with its header fields."""
    fields = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "Idempotent-Replayed, Link",
        "Cache-Control": "no-cache, no-store, max-age=0, must-revalidate",
        "X-Content-Type-Options": "nosniff",
    }
    answer = " ".join(f'add_header {name} "{value}";' for name, value in fields.items())
    answer += " return 200 '{\"value\":1234567}';"

    def start(bench: "Bench", port: int) -> Process:
        return _nginx(bench, port, answer)

    return Peer("nginx", "nginx, constant", "/", start)


def nginx_lua() -> Peer:
    """nginx counting with its Lua module."""

    def start(bench: "Bench", port: int) -> Process:
        modules = "\n".join(
            f"load_module /usr/lib/nginx/modules/{name}.so;"
            for name in ("ndk_http_module", "ngx_http_lua_module")
        )
        return _nginx(bench, port, "content_by_lua_file @folder@/visit.lua;", modules)

    return Peer("lua", "nginx + Lua, INCR", "/", start)


def webdis() -> Peer:
    """webdis, which hands HTTP requests to Redis."""

    def start(bench: "Bench", port: int) -> Process:
        folder = bench.processes.new_folder("webdis")
        configuration = folder / "webdis.json"
        settings = {
            "redis_host": "127.0.0.1",
            "redis_port": bench.redis.port,
            "http_host": "127.0.0.1",
            "http_port": port,
            "threads": 1,
            "pool_size": 20,
            "daemonize": False,
            "verbosity": 0,
            "logfile": str(folder / "webdis.log"),
        }
        configuration.write_text(json.dumps(settings))
        return bench.processes.start("webdis", ["webdis", str(configuration)])

    return Peer("webdis", "webdis, INCR", "/INCR/hits", start)


def original() -> Peer:
    """The Flask program."""

    def start(bench: "Bench", port: int) -> Process:
        python = bench.repository / ".build" / "bench-venv" / "bin" / "python"
        environment = {
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": str(bench.redis.port),
            "PORT": str(port),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        program = str(bench.benchmarks / "peers" / "original.py")
        return bench.processes.start("the original", [str(python), program], environment)

    return Peer("original", "the original (Flask), INCR", "/", start)


def counter(
    threads: int = 1,
    executable: str | None = None,
    prefix: tuple[str, ...] = (),
    flags: tuple[str, ...] = (),
    redis: str | None = None,
) -> Peer:
    """The counter; it counts in the Redis at another address if one is given."""

    def start(bench: "Bench", port: int) -> Process:
        command = [
            *(*prefix, executable or str(bench.counter)),
            *("--host", "127.0.0.1", "--port", str(port), "--threads", str(threads)),
            *("--redis", redis or f"redis://127.0.0.1:{bench.redis.port}"),
            *("--metrics-port", "0"),
            *flags,
        ]
        return bench.processes.start("counter", command)

    return Peer("counter", "counter", "/", start)
