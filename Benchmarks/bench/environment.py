"""On what it was measured, and with what versions."""

import datetime
import os
import pathlib
import platform
import re
import subprocess
import time

from .bench import Bench

PACKAGES = (
    "nginx",
    "libnginx-mod-http-lua",
    "lua-nginx-redis",
    "webdis",
    "redis-server",
    "wrk",
    "valgrind",
    "gcc",
    "libc6",
)


def describe(bench: Bench) -> dict[str, str]:
    """Names and values, in the order in which they are shown."""
    described = {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", "unknown"),
        "kernel": platform.release(),
        "processor": _processor(),
        "processors usable": str(len(os.sched_getaffinity(0))),
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB",
        "counter": _counter(bench),
        "Swift": _first_match(["swift", "--version"], r"Swift version (\S+)"),
        "Python": platform.python_version(),
    }
    for package in PACKAGES:
        command = ["dpkg-query", "--show", "--showformat=${Version}", package]
        described[package] = _first_match(command, r"(\S+)")
    requirements = (bench.benchmarks / "requirements.txt").read_text()
    for name, version in re.findall(r"^(\S+)==(\S+)$", requirements, re.MULTILINE):
        if name in ("Flask", "Werkzeug", "redis"):
            described["redis-py" if name == "redis" else name] = version
    return described


def busy_share(seconds: float = 1) -> float:
    """The share of all processors that is busy now, from 0 to 1."""
    before = _jiffies()
    time.sleep(seconds)
    after = _jiffies()
    passed = [late - early for early, late in zip(before, after, strict=True)]
    idle = passed[3] + passed[4]  # idle and waiting for disks
    return 1 - idle / max(1, sum(passed[:8]))


def _jiffies() -> list[int]:
    return list(map(int, pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]))


def _processor() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _counter(bench: Bench) -> str:
    version = _first_match([str(bench.counter), "--version"], r"([^\n]+)")
    git = ["git", "-C", str(bench.repository)]
    commit = _first_match([*git, "rev-parse", "--short=12", "HEAD"], r"(\w+)")
    sources = ["Package.swift", "Sources"]
    changed = _first_match([*git, "status", "--porcelain", "--", *sources], r"(\S+)") != "unknown"
    return f"{version}; the repository at {commit}{' and changes since' if changed else ''}"


def _first_match(command: list[str], pattern: str) -> str:
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    match = re.search(pattern, result.stdout)
    return match.group(1) if match else "unknown"
