"""Starts processes, says what they cost, and ends every one of them whatever happens."""

import contextlib
import ctypes
import http.client
import os
import pathlib
import resource
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class BenchmarkError(Exception):
    """The measurement cannot go on; the text says why, for people."""


def _end_with_parent() -> None:
    """Makes the kernel end this child when the benchmark is killed and cannot do so itself."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Process:
    """A started program and its log."""

    def __init__(self, name: str, popen: subprocess.Popen[bytes], log: pathlib.Path) -> None:
        self.name = name
        self.popen = popen
        self.log = log

    def processes(self) -> list[int]:
        """The ids of the process and of its children."""
        children = pathlib.Path(f"/proc/{self.popen.pid}/task/{self.popen.pid}/children")
        return [self.popen.pid, *map(int, children.read_text().split())]

    def cpu(self) -> float:
        """Seconds of CPU so far, of all threads, those that ended included, user and system."""
        ticks = 0
        for process in self.processes():
            # The name, in parentheses, may hold spaces; utime and stime are fields 14 and 15.
            fields = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / TICKS_A_SECOND

    def resident_memory(self) -> int:
        """Bytes of resident memory now, shared libraries included."""
        total = 0
        for process in self.processes():
            for line in pathlib.Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                if line.startswith("Rss:"):
                    total += int(line.split()[1]) * 1024
        return total

    def run_on(self, processors: set[int]) -> None:
        """Keeps all its threads to these processors."""
        for process in self.processes():
            for thread in pathlib.Path(f"/proc/{process}/task").iterdir():
                os.sched_setaffinity(int(thread.name), processors)

    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.popen.poll() is None

    def stop(self, stop_signal: int = signal.SIGTERM, limit: float = 10) -> None:
        """Asks it to end; kills it and its children when it has not after `limit` seconds."""
        if not self.is_running():
            return
        try:
            processes = self.processes()
        except OSError:
            processes = [self.popen.pid]
        self.popen.send_signal(stop_signal)
        try:
            self.popen.wait(limit)
        except subprocess.TimeoutExpired:
            # It was not waited for, so its id is still its own; children go before their parent.
            for process in reversed(processes):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            self.popen.wait()

    def failure(self, what: str) -> BenchmarkError:
        """An error that shows the end of the process's log."""
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-10:])
        return BenchmarkError(f"{self.name} {what}\n{tail}".rstrip())


class Processes:
    """A temporary folder and every process that was started; both go at the end of a `with`."""

    def __init__(self) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="counter-benchmark-")
        self.folder = pathlib.Path(self._temporary.name)
        self._started: list[Process] = []
        self._count = 0

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._started):
            process.stop()
        self._temporary.cleanup()

    def new_folder(self, name: str) -> pathlib.Path:
        """An empty folder that goes with everything else."""
        self._count += 1
        folder = self.folder / f"{self._count}-{name}"
        folder.mkdir()
        return folder

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> Process:
        """Starts a program without this one's environment, its output going to a log."""
        self._started = [process for process in self._started if process.is_running()]
        self._count += 1
        log = self.folder / f"{self._count}.log"
        with log.open("wb") as output:
            try:
                popen = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=self.folder,
                    env=clean_environment() | dict(environment or {}),
                    start_new_session=True,
                    preexec_fn=_end_with_parent,  # safe: this program has one thread
                )
            except OSError as error:
                raise BenchmarkError(f"cannot start {command[0]}: {error.strerror}") from error
        process = Process(name, popen, log)
        self._started.append(process)
        return process

    def run(self, name: str, command: Sequence[str], limit: float) -> str:
        """Runs a program to its end and returns its output; it may take `limit` seconds."""
        process = self.start(name, command)
        try:
            status = process.popen.wait(limit)
        except subprocess.TimeoutExpired:
            process.stop(limit=1)
            raise process.failure(f"took over {limit:.0f} s") from None
        if status != 0:
            raise process.failure(f"ended with status {status}")
        return process.log.read_text(errors="replace")


def clean_environment() -> dict[str, str]:
    """An environment in which nothing sets what is measured."""
    return {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin",
        "HOME": os.environ.get("HOME", "/"),
        "LANG": "C.UTF-8",
    }


def children_cpu() -> float:
    """Seconds of CPU of all programs that were started and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def free_port() -> int:
    """A TCP port of 127.0.0.1 that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until(condition: Callable[[], bool], process: Process, limit: float) -> None:
    """Waits until a condition holds; an error when the process ends first, or it takes too long."""
    end = time.monotonic() + limit
    while not condition():
        if not process.is_running():
            raise process.failure("ended before it was ready")
        if time.monotonic() > end:
            raise process.failure(f"was not ready after {limit:.0f} s")
        time.sleep(0.01)


def answers(port: int, path: str = "/") -> bool:
    """Whether a GET to 127.0.0.1 is answered 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
