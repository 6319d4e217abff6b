"""What h11 says of what a client sent: a line of JSON for each line of hexadecimal in a file.

Every request that is complete is answered, as a server does, so that the next one is looked at.
"""

import json
import sys

import h11


def verdict(sent: bytes) -> dict:
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(sent)
    requests = 0
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError as error:
            return {"requests": requests, "end": "refused", "reason": reason(error)}
        if isinstance(event, h11.EndOfMessage):
            requests += 1
            connection.send(h11.Response(status_code=404, headers=[("Content-Length", "0")]))
            connection.send(h11.EndOfMessage())
            if connection.our_state is not h11.DONE:
                return {"requests": requests, "end": "closed"}
            connection.start_next_cycle()
        elif not isinstance(event, (h11.Request, h11.Data)):
            return {"requests": requests, "end": "waiting"}


def reason(error: h11.RemoteProtocolError) -> str:
    """Its words, without what it quotes."""
    return str(error).partition(": b")[0].partition(": '")[0]


with open(sys.argv[1], encoding="ascii") as lines:
    for line in lines:
        print(json.dumps(verdict(bytes.fromhex(line))))
