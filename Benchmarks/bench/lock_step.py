"""Visits in lock step: all connections send one, all answers are read, and again."""

import re
import select
import socket

from .processes import BenchmarkError

PLAIN = b"GET / HTTP/1.1\r\nHost: localhost:8000\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n"

BROWSER = (
    b"GET / HTTP/1.1\r\n"
    b"Host: localhost:8000\r\n"
    b"Connection: keep-alive\r\n"
    b"Cache-Control: max-age=0\r\n"
    b'sec-ch-ua: "Chromium";v="126", "Not.A/Brand";v="24"\r\n'
    b"sec-ch-ua-mobile: ?0\r\n"
    b'sec-ch-ua-platform: "Linux"\r\n'
    b"Upgrade-Insecure-Requests: 1\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    b"Chrome/126.0.0.0 Safari/537.36\r\n"
    b"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
    b"*/*;q=0.8\r\n"
    b"Sec-Fetch-Site: none\r\n"
    b"Sec-Fetch-Mode: navigate\r\n"
    b"Sec-Fetch-User: ?1\r\n"
    b"Sec-Fetch-Dest: document\r\n"
    b"Accept-Encoding: gzip, deflate, br\r\n"
    b"Accept-Language: en-US,en;q=0.9\r\n"
    b"\r\n"
)


def plain(path: str) -> bytes:
    """The plain request of another path."""
    return PLAIN.replace(b" / ", f" {path} ".encode())


_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class LockStep:
    """Open connections to a server on 127.0.0.1."""

    def __init__(self, port: int, connections: int, limit: float = 30) -> None:
        self._limit = limit
        self._poller = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._answers: dict[int, bytes] = {}
        try:
            for _ in range(connections):
                connection = socket.create_connection(("127.0.0.1", port), timeout=limit)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.setblocking(False)
                self._sockets[connection.fileno()] = connection
                self._poller.register(connection.fileno(), select.EPOLLIN)
        except OSError:
            self.close()
            raise

    def __enter__(self) -> "LockStep":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes all connections."""
        for connection in self._sockets.values():
            connection.close()
        self._poller.close()

    def round(self, request: bytes) -> None:
        """One request on every connection, and all their answers, which must be 200."""
        for connection in self._sockets.values():
            connection.send(request)
        self._answers = dict.fromkeys(self._sockets, b"")
        while self._answers:
            events = self._poller.poll(self._limit)
            if not events:
                raise BenchmarkError(f"{len(self._answers)} visits were not answered in time")
            for descriptor, _ in events:
                self._receive(descriptor)

    def _receive(self, descriptor: int) -> None:
        received = self._sockets[descriptor].recv(4096)
        if not received or descriptor not in self._answers:
            raise BenchmarkError("the server closed a connection, or said more than it was asked")
        answer = self._answers[descriptor] + received
        self._answers[descriptor] = answer
        header, end, body = answer.partition(b"\r\n\r\n")
        if not end:
            return
        length = _CONTENT_LENGTH.search(header)
        if not header.startswith(b"HTTP/1.1 200 ") or not length:
            raise BenchmarkError(f"a visit was not counted: {header.splitlines()[0]!r}")
        if len(body) >= int(length.group(1)):
            del self._answers[descriptor]
