"""Visitors who note each number that they are given, and when."""

import http.client
import threading
import time
from typing import NamedTuple

LONGEST = 60  # seconds that a visit may take


class Visit(NamedTuple):
    """An answered visit: when it began and ended, and its number."""

    begin: float
    end: float
    number: int


class Visitors:
    """Some visitors of a counter, one visit after another each, on a connection that is kept."""

    def __init__(self, port: int, count: int = 4) -> None:
        self.port = port
        self.visits: list[Visit] = []
        self.failures: list[str] = []
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self.visit) for _ in range(count)]
        for each in self.threads:
            each.start()

    def visit(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LONGEST)
        while not self.is_over.is_set():
            begin = time.monotonic()
            try:
                connection.request("GET", "/", headers={"Accept": "application/json"})
                response = connection.getresponse()
                body = response.read().decode()
                if response.status == 200:
                    number = int("".join(filter(str.isdigit, body)))
                    self.visits.append(Visit(begin, time.monotonic(), number))
                else:
                    self.failures.append(f"{response.status} {body.strip()}")
            except OSError as error:
                self.failures.append(str(error))
                connection.close()
            time.sleep(0.01)
        connection.close()

    def longest(self) -> float:
        """The longest wait for an answer so far, in seconds."""
        return max(each.end - each.begin for each in self.visits)

    def stop(self) -> None:
        """Ends the visits."""
        self.is_over.set()
        for each in self.threads:
            each.join()

    def errors(self) -> list[str]:
        """What must not be: numbers that came twice, or out of order."""
        found = []
        numbers = [each.number for each in self.visits]
        if len(set(numbers)) != len(numbers):
            found.append(f"{len(numbers) - len(set(numbers))} numbers came twice")
        # A visit that begins after another was answered gets a larger number.
        largest, ended = 0, sorted(self.visits, key=lambda each: each.end)
        at = 0
        for each in sorted(self.visits, key=lambda each: each.begin):
            while at < len(ended) and ended[at].end < each.begin:
                largest = max(largest, ended[at].number)
                at += 1
            if each.number <= largest:
                found.append(f"{each.number} came after {largest}")
        return found
