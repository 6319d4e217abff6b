"""The one redis-server that every peer counts in, and those that are reached in other ways."""

import pathlib
import socket
from collections.abc import Sequence

from .processes import Process, Processes, free_port, wait_until


class RedisServer:
    """A redis-server on 127.0.0.1 that keeps nothing on disk, so that no disk is measured."""

    def __init__(self, processes: Processes, flags: Sequence[str] = ()) -> None:
        self.port = free_port()
        folder: pathlib.Path = processes.new_folder("redis")
        self.process: Process = processes.start(
            "redis-server",
            [
                *("redis-server", "--bind", "127.0.0.1", "--port", str(self.port)),
                *("--save", "", "--appendonly", "no", "--dir", str(folder)),
                *("--maxclients", "4000"),
                *flags,
            ],
        )
        wait_until(self._is_ready, self.process, limit=10)

    def ask(self, *words: str) -> str:
        """Sends one command and returns its reply, a line or a bulk string, as text."""
        request = f"*{len(words)}\r\n" + "".join(f"${len(w)}\r\n{w}\r\n" for w in words)
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(request.encode())
            with connection.makefile("rb") as replies:
                line = replies.readline().decode().rstrip()
                if line.startswith("$") and line != "$-1":
                    return replies.read(int(line[1:])).decode()
                return line[1:]

    def hits(self) -> int:
        """How many visits were counted since the last reset."""
        answer = self.ask("GET", "hits")
        return int(answer) if answer != "-1" else 0

    def reset(self) -> None:
        """Forgets all data and statistics; scripts stay, as they do in real life."""
        self.ask("FLUSHALL")
        self.ask("CONFIG", "RESETSTAT")

    def calls(self, command: str) -> int:
        """How many times a command was called since the last reset."""
        for line in self.ask("INFO", "commandstats").splitlines():
            if line.startswith(f"cmdstat_{command}:calls="):
                return int(line.partition("calls=")[2].partition(",")[0])
        return 0

    def _is_ready(self) -> bool:
        try:
            return self.ask("PING") == "PONG"
        except OSError:
            return False
