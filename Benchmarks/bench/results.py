"""The raw runs of all measurements, and their medians."""

import dataclasses
from typing import Any

from .bench import Run, median


@dataclasses.dataclass
class Results:
    """Everything that was measured. A measurement that was left out has no runs."""

    environment: dict[str, str]
    settings: dict[str, Any]
    runs: dict[str, list[Run]]

    def has(self, measurement: str) -> bool:
        """Whether it was measured."""
        return bool(self.runs.get(measurement))

    def select(self, measurement: str, **where: object) -> list[Run]:
        """The runs whose members have these values."""
        return [
            run
            for run in self.runs.get(measurement, [])
            if all(run[name] == value for name, value in where.items())
        ]

    def median(self, measurement: str, member: str, **where: object) -> float:
        """The median of one member over those runs."""
        return median(run[member] for run in self.select(measurement, **where))

    def total(self, measurement: str, member: str, **where: object) -> int:
        """The sum of one member over those runs."""
        return int(sum(run[member] for run in self.select(measurement, **where)))

    def values(self, measurement: str, member: str) -> list[Any]:
        """Every value of a member once, in the order of the runs."""
        return list(dict.fromkeys(run[member] for run in self.runs.get(measurement, [])))

    def cpu(self, peer: str) -> float:
        """Microseconds of CPU that server and Redis take for a visit, from the throughput runs."""
        return median(
            run["server_cpu_us"] + run["redis_cpu_us"]
            for run in self.select("throughput", peer=peer)
        )
