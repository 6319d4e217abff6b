"""What every measurement is given: the programs, the Redis, and how long to measure."""

import dataclasses
import pathlib
import statistics
import sys
from collections.abc import Iterable
from typing import Any

from .processes import Processes
from .redis_server import RedisServer

Run = dict[str, Any]
"""One run, as it goes into the JSON."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """How many alternating runs, and how long each is, in seconds."""

    rounds: int = 5
    many_rounds: int = 9
    """Runs of what the promises hang on most and the machine disturbs most."""
    few_rounds: int = 3
    """Runs of what takes longest and varies least."""
    seconds: int = 4
    starts: int = 15
    lock_step_rounds: int = 1000
    active_lead: int = 4
    """Seconds in which thousands of connections are opened before they are measured."""

    @staticmethod
    def quick() -> "Settings":
        """About two and a half minutes; the numbers are rough."""
        return Settings(
            rounds=2,
            many_rounds=2,
            few_rounds=1,
            seconds=1,
            starts=5,
            lock_step_rounds=300,
            active_lead=2,
        )


@dataclasses.dataclass
class Bench:
    """The place where all measurements run."""

    repository: pathlib.Path
    counter: pathlib.Path
    processes: Processes
    redis: RedisServer
    settings: Settings
    most_connections: int
    runs: dict[str, list[Run]] = dataclasses.field(default_factory=dict)
    """What was measured so far."""

    @property
    def benchmarks(self) -> pathlib.Path:
        """The folder of this program."""
        return self.repository / "Benchmarks"

    def load_generator(self, name: str) -> str:
        """A load generator that Benchmarks/run compiled."""
        return str(self.repository / ".build" / "bench" / name)


def say(text: str) -> None:
    """Progress, for whoever waits."""
    print(text, file=sys.stderr, flush=True)


def median(values: Iterable[float]) -> float:
    """The median of at least one value."""
    return statistics.median(values)
