"""The chart's Redis, run here by its own scripts with a real redis-server."""

import os
import pathlib
import signal
import socket
import stat
import subprocess
import tempfile
import time
import unittest

from chart import render

LIMIT = 20  # seconds that anything may take here


def free_port() -> int:
    """A port of this machine that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class RedisPod:
    """The Redis container's files in a folder, its paths and its port being of this machine."""

    def __init__(self, folder: pathlib.Path, password: bytes) -> None:
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.folder = folder
        self.container = render().container("StatefulSet")
        self._paths = {
            mount["mountPath"]: folder / mount["name"] for mount in self.container["volumeMounts"]
        }
        for path in self._paths.values():
            path.mkdir()
        for name, text in render().the("ConfigMap")["data"].items():
            (folder / "configuration" / name).write_text(self.here(text))
        self.set_password(password)

    def here(self, text: str) -> str:
        """A text of the pod with the paths and the port of this machine."""
        for there, here in self._paths.items():
            text = text.replace(there, str(here))
        # Without its own title, which would hide how it was started.
        more = f"port {self.port}\nbind 127.0.0.1\nset-proc-title no\n"
        text = text.replace("port 6379\n", more)
        return text.replace("redis-cli ", f"redis-cli -p {self.port} ")

    def set_password(self, password: bytes) -> None:
        """Puts a password where the Secret is mounted."""
        (self.folder / "password" / "password").write_bytes(password)

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Runs a command as Kubernetes would in the container."""
        program, *words = map(self.here, command)
        port = ["-p", str(self.port)] if program == "redis-cli" else []
        return subprocess.run(
            [program, *port, *words], capture_output=True, text=True, timeout=LIMIT
        )

    def probe(self, name: str) -> bool:
        """Whether a probe of the container is content."""
        return self.run(self.container[name]["exec"]["command"]).returncode == 0

    def start(self) -> None:
        """Starts the container, and waits for its startup probe."""
        command = list(map(self.here, self.container["command"]))
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True
            )
        end = time.monotonic() + LIMIT
        while not self.probe("startupProbe"):
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError((self.folder / "log").read_text())
            time.sleep(0.02)

    def stop(self, how: signal.Signals) -> int:
        """Sends a signal to the container's first process and returns what it ends with."""
        self.process.send_signal(how)
        return self.process.wait(LIMIT)

    def ask(self, password: str | None, *words: str) -> str:
        """What redis-cli says, with a password in its environment."""
        environment = dict(os.environ) | ({} if password is None else {"REDISCLI_AUTH": password})
        ended = subprocess.run(
            ["redis-cli", "-p", str(self.port), *words],
            env=environment, capture_output=True, text=True, timeout=LIMIT,
        )
        return (ended.stdout + ended.stderr).strip()


class RedisPodTests(unittest.TestCase):
    def pod(self, password: bytes) -> RedisPod:
        folder = tempfile.TemporaryDirectory(prefix="counter-chart-redis-")
        self.addCleanup(folder.cleanup)
        pod = RedisPod(pathlib.Path(folder.name), password)
        self.addCleanup(self.end, pod)
        return pod

    def end(self, pod: RedisPod) -> None:
        if pod.process and pod.process.poll() is None:
            os.killpg(pod.process.pid, signal.SIGKILL)
            pod.process.wait(LIMIT)

    def test_it_lets_in_who_has_the_password_whatever_is_in_it(self):
        for password in ("secret", "two words # \"quoted\" 'twice' \\ $HOME %s", "pässwörd"):
            with self.subTest(password):
                pod = self.pod(password.encode() + b"\n")
                pod.start()
                self.assertEqual(pod.ask(password, "incr", "hits"), "1")
                self.assertIn("NOAUTH", pod.ask(None, "get", "hits"))
                self.assertIn("WRONGPASS", pod.ask("guess", "get", "hits"))

    def test_an_empty_password_is_refused(self):
        pod = self.pod(b"\n")
        ended = pod.run(pod.container["command"])
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn("password of Redis is empty", ended.stderr)

    def test_no_command_line_shows_the_password(self):
        pod = self.pod(b"open-sesame")
        pod.start()
        shown = pathlib.Path(f"/proc/{pod.process.pid}/cmdline").read_bytes()
        self.assertIn(b"redis-server", shown)
        self.assertNotIn(b"open-sesame", shown)
        self.assertNotIn("open-sesame", str(pod.container))
        [users] = (pod.folder / "users").iterdir()
        self.assertNotIn("open-sesame", users.read_text())
        self.assertEqual(stat.S_IMODE(users.stat().st_mode), 0o600)

    def test_a_count_that_was_answered_outlives_a_kill(self):
        pod = self.pod(b"secret")
        pod.start()
        self.assertEqual(pod.ask("secret", "config", "get", "appendfsync").split()[1], "always")
        for number in range(1, 4):
            self.assertEqual(pod.ask("secret", "incr", "hits"), str(number))
        pod.stop(signal.SIGKILL)
        pod.start()
        self.assertEqual(pod.ask("secret", "get", "hits"), "3")

    def test_it_stops_when_it_is_told_to(self):
        pod = self.pod(b"secret")
        pod.start()
        self.assertEqual(pod.stop(signal.SIGTERM), 0)

    def test_a_new_password_makes_it_unready_and_not_dead(self):
        pod = self.pod(b"secret")
        pod.start()
        self.assertTrue(pod.probe("readinessProbe"))
        self.assertTrue(pod.probe("livenessProbe"))
        pod.set_password(b"another")
        self.assertFalse(pod.probe("readinessProbe"))
        self.assertTrue(pod.probe("livenessProbe"))

    def test_a_redis_that_does_not_answer_is_neither_ready_nor_alive(self):
        pod = self.pod(b"secret")
        pod.start()
        pod.stop(signal.SIGTERM)
        self.assertFalse(pod.probe("readinessProbe"))
        self.assertFalse(pod.probe("livenessProbe"))

    def test_data_of_an_earlier_password_is_gone_on_with(self):
        pod = self.pod(b"secret")
        pod.start()
        pod.ask("secret", "set", "hits", "41")
        pod.stop(signal.SIGTERM)
        pod.set_password(b"another")
        pod.start()
        self.assertEqual(pod.ask("another", "incr", "hits"), "42")


if __name__ == "__main__":
    unittest.main()
