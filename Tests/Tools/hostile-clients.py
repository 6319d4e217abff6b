"""Clients that make a server buffer as much as it will, until this process is killed.

A client whose connection is closed by the server connects again. A client beyond the backlog goes on
trying to connect. Arguments: what the clients do, how many there are, the server's port, and the last
part of their address, 127.0.0.N.
"""

import select
import socket
import struct
import sys

BYTES = {
    # Just below the limit of a header, so that the server keeps it and does not refuse it.
    "half-a-header": b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 16_000,
    "requests": b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" * 5_000,
    "visits": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 5_000,
}
IP_BIND_ADDRESS_NO_PORT = 24  # the port is chosen at connect(), so that each address has all ports

kind, count, port, host = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
poller = select.epoll()
clients: dict[int, tuple[socket.socket, memoryview]] = {}


def connect() -> None:
    """Starts to connect another client."""
    client = socket.socket()
    client.setblocking(False)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
    client.bind((f"127.0.0.{host}", 0))
    client.connect_ex(("127.0.0.1", port))
    clients[client.fileno()] = (client, memoryview(BYTES[kind]))
    poller.register(client, select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET)


def send(descriptor: int) -> None:
    """Sends what the kernel takes at once."""
    client, rest = clients[descriptor]
    try:
        while rest:
            rest = rest[client.send(rest) :]
    except BlockingIOError:
        pass
    clients[descriptor] = (client, rest)


for _ in range(count):
    connect()
while True:
    for descriptor, events in poller.poll():
        try:
            if events & (select.EPOLLERR | select.EPOLLHUP | select.EPOLLRDHUP):
                raise ConnectionResetError
            send(descriptor)
        except ConnectionError:
            clients.pop(descriptor)[0].close()
            connect()
