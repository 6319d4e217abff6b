"""A name server on 127.0.0.1:53 that says 127.0.0.1 to every question for an IPv4 address."""

import socket
import struct

IPV4 = b"\x00\x01\x00\x01"  # Type A, class IN (RFC 1035 section 3.2).

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
while True:
    query, client = server.recvfrom(512)
    end = query.index(b"\x00", 12) + 5
    question = query[12:end]
    answers = []
    if question.endswith(IPV4):
        # The name is the question's; the answer holds for a second (RFC 1035 section 4.1).
        answers.append(b"\xc0\x0c" + IPV4 + struct.pack("!IH", 1, 4) + bytes([127, 0, 0, 1]))
    header = query[:2] + struct.pack("!HHHHH", 0x8180, 1, len(answers), 0, 0)
    server.sendto(header + question + b"".join(answers), client)
