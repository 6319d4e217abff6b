"""The chart's Redis container, run here by its own scripts with a real redis-server."""

import os
import pathlib
import signal
import socket
import subprocess
import time

from chart import render

LIMIT = 20  # seconds that anything may take here


def free_port() -> int:
    """A port of this machine that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class RedisPod:
    """The Redis container's files in a folder, its paths and its port being of this machine."""

    def __init__(
        self, folder: pathlib.Path, password: bytes, sets: tuple[str, ...] = ()
    ) -> None:
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.folder = folder
        self.environment = dict(os.environ) | {"POD": "redisapp-0"}
        release = render(sets=sets)
        self.container = release.container("StatefulSet")
        self._paths = {
            mount["mountPath"]: folder / mount["name"] for mount in self.container["volumeMounts"]
        }
        for path in self._paths.values():
            path.mkdir()
        for name, text in release.the("ConfigMap")["data"].items():
            (folder / "configuration" / name).write_text(self.here(text))
        self.set_password(password)

    def here(self, text: str) -> str:
        """A text of the pod with the paths and the port of this machine."""
        for there, here in self._paths.items():
            text = text.replace(there, str(here))
        # Without its own title, which would hide how it was started.
        more = f"port {self.port}\nbind 127.0.0.1\nset-proc-title no\n"
        text = text.replace("port 6379\n", more)
        text = text.replace("redis-cli ", f"redis-cli -p {self.port} ")
        return text.replace("ask 6379 ", f"ask {self.port} ")

    def set_password(self, password: bytes) -> None:
        """Puts a password where the Secret is mounted."""
        (self.folder / "password" / "password").write_bytes(password)

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Runs a command as Kubernetes would in the container."""
        return subprocess.run(
            list(map(self.here, command)), env=self.environment, capture_output=True, text=True,
            timeout=LIMIT,
        )

    def probe(self, name: str) -> bool:
        """Whether a probe of the container is content."""
        return self.run(self.container[name]["exec"]["command"]).returncode == 0

    def start(self) -> None:
        """Starts the container, and waits for its startup probe."""
        command = list(map(self.here, self.container["command"]))
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        end = time.monotonic() + LIMIT
        while not self.probe("startupProbe"):
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError((self.folder / "log").read_text())
            time.sleep(0.02)

    def stop(self, how: signal.Signals) -> int:
        """Sends a signal to the container's first process and returns its exit code."""
        self.process.send_signal(how)
        return self.process.wait(LIMIT)

    def kill(self) -> None:
        """Leaves nothing running."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(LIMIT)

    def peak_memory(self) -> int:
        """The most memory that redis-server has taken since it started, in bytes."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024

    def ask(self, password: str | None, *words: str) -> str:
        """The output of redis-cli with a password in its environment."""
        environment = dict(os.environ) | ({} if password is None else {"REDISCLI_AUTH": password})
        ended = subprocess.run(
            ["redis-cli", "-p", str(self.port), *words],
            env=environment, capture_output=True, text=True, timeout=LIMIT,
        )
        return (ended.stdout + ended.stderr).strip()
