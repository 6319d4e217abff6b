"""The original: a small Flask program that counts visits with INCR and tries again on failure.

Written anew after the idea of the well-known example, and run as it is: by Flask's own server, a
thread for each request.
"""

import os
import time

import redis
from flask import Flask

application = Flask(__name__)
store = redis.Redis(host=os.environ["REDIS_HOST"], port=int(os.environ["REDIS_PORT"]))


def count_visit() -> int:
    """Adds one to the visits; tries five more times, half a second apart, when Redis is away."""
    for tries_left in reversed(range(6)):
        try:
            return store.incr("hits")
        except redis.exceptions.ConnectionError:
            if tries_left == 0:
                raise
            time.sleep(0.5)
    raise AssertionError("never here")


@application.get("/")
def visit() -> str:
    """Answers a visit with its number."""
    return f"Hello World! I have been seen {count_visit()} times.\n"


if __name__ == "__main__":
    application.run(host="127.0.0.1", port=int(os.environ.get("PORT", "8000")), threaded=True)
