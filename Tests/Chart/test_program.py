"""The program with the flags that the chart gives it, and with the chart's Redis."""

import http.client
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

from chart import cases, render
from redis_pod import LIMIT, RedisPod, free_port

PROGRAM = os.environ["COUNTER_EXECUTABLE"]
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


class ProgramTests(unittest.TestCase):
    def start(
        self, flags: list[str], environment: dict[str, str], host: str = "127.0.0.1"
    ) -> int:
        """Starts the program with flags of the chart on ports of this machine, and waits for it."""
        port = free_port()
        here = {"--host": host, "--port": str(port), "--metrics-port": str(free_port())}
        flags = flags or ["--host=", "--port=", "--metrics-port=", "--redis=redis://127.0.0.1:1"]
        names = [flag.partition("=")[0] for flag in flags]
        flags = [f"{name}={here[name]}" if name in here else f for name, f in zip(names, flags)]
        process = subprocess.Popen([PROGRAM, *flags], env=environment, **QUIET)
        self.addCleanup(process.wait, LIMIT)
        self.addCleanup(process.terminate)
        end = time.monotonic() + LIMIT
        while not self.is_up(port):
            self.assertIsNone(process.poll(), f"the program does not start with {flags}")
            self.assertLess(time.monotonic(), end, "the program does not answer")
            time.sleep(0.02)
        return port

    def is_up(self, port: int) -> bool:
        try:
            return self.get(port, "/health") == 200
        except OSError:
            return False

    def get(self, port: int, path: str) -> int:
        """The status of the response to a request."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()

    def test_it_understands_every_flag_and_no_variable_of_kubernetes_misleads_it(self):
        flags = render(cases()["everything"]).container("Deployment")["args"]
        with tempfile.TemporaryDirectory(prefix="counter-chart-program-") as folder:
            password = pathlib.Path(folder) / "password"
            password.write_text("secret\n")
            flags = [each.replace("/run/secrets/redis/password", str(password)) for each in flags]
            misleading = {
                name: "tcp://10.0.0.1:80" for name in ("METRICS_PORT", "COUNTER_PORT", "REDISAPP_PORT")
            }
            self.start(flags, misleading | {"COUNTER_SERVICE_HOST": "10.0.0.1"})

    def test_it_counts_in_the_charts_redis_with_the_password_of_the_secret(self):
        for content in (b"two words # \"quoted\" \\\n", b"secret\r\n", b"secret\r", b"secret\n\n"):
            with self.subTest(content):
                folder = tempfile.TemporaryDirectory(prefix="counter-chart-program-")
                self.addCleanup(folder.cleanup)
                pod = RedisPod(pathlib.Path(folder.name), content)
                self.addCleanup(pod.kill)
                pod.start()
                flags = [pod.here(flag) for flag in render().container("Deployment")["args"]]
                flags = [
                    each.replace("redis://redisapp:6379", f"redis://127.0.0.1:{pod.port}")
                    for each in flags
                ]
                # What Kubernetes would say of another Redis, or of one that has moved.
                port = self.start(
                    flags, {"REDISAPP_SERVICE_HOST": "127.0.0.2", "REDISAPP_SERVICE_PORT": "1"}
                )
                [check] = render().the("Pod")["spec"]["containers"]
                words = [each.replace("counter:8000", f"127.0.0.1:{port}") for each in check["args"]]
                checked = subprocess.run(
                    [PROGRAM, *words], capture_output=True, text=True, timeout=LIMIT
                )
                self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_a_password_is_changed_under_load_without_a_refused_visit(self):
        folder = tempfile.TemporaryDirectory(prefix="counter-chart-program-")
        self.addCleanup(folder.cleanup)
        pod = RedisPod(pathlib.Path(folder.name), b"secret")
        self.addCleanup(pod.kill)
        pod.start()
        file = pathlib.Path(folder.name) / "password" / "password"
        flags = [
            f"--redis=redis://127.0.0.1:{pod.port}", f"--redis-password-file={file}",
            *("--host=", "--port=", "--metrics-port="),
        ]
        old = self.start(flags, {})
        self.assertEqual(self.get(old, "/"), 200)
        pod.set_password(b"another")
        self.assertTrue(pod.probe("readinessProbe"))
        self.assertEqual(self.get(old, "/"), 200)
        new = self.start(flags, {})
        self.assertEqual(self.get(new, "/"), 200)
        # The old one connects again with what it has read.
        pod.stop(signal.SIGKILL)
        pod.start()
        for port in (old, new):
            self.assertEqual(self.get(port, "/"), 200)

    def test_on_the_charts_host_it_answers_ipv4_and_ipv6(self):
        [host] = [
            each.removeprefix("--host=")
            for each in render().container("Deployment")["args"]
            if each.startswith("--host=")
        ]
        port = self.start([], {}, host)
        for address in ("127.0.0.1", "::1"):
            connection = http.client.HTTPConnection(address, port, timeout=LIMIT)
            self.addCleanup(connection.close)
            connection.request("GET", "/health")
            self.assertEqual(connection.getresponse().status, 200)

    def test_while_its_redis_is_full_it_refuses_visits_and_counts_on_once_there_is_room(self):
        folder = tempfile.TemporaryDirectory(prefix="counter-chart-program-")
        self.addCleanup(folder.cleanup)
        pod = RedisPod(
            pathlib.Path(folder.name), b"secret", ("redis.resources.limits.memory=20Mi",)
        )
        self.addCleanup(pod.kill)
        pod.start()
        password = pathlib.Path(folder.name) / "password" / "password"
        flags = [
            f"--redis=redis://127.0.0.1:{pod.port}", f"--redis-password-file={password}",
            *("--host=", "--port=", "--metrics-port=", "--visit-timeout=0.5"),
        ]
        port = self.start(flags, {})
        self.assertEqual(self.get(port, "/"), 200)
        fill = "return redis.call('append', 'rest', string.rep('x', 1000000)) / 1000000"
        while (answer := pod.ask("secret", "eval", fill, "0")).isdigit():
            self.assertLess(int(answer), 20)
        self.assertIn("OOM", answer)
        self.assertEqual(self.get(port, "/"), 503)
        self.assertEqual(self.get(port, "/health"), 200)
        self.assertEqual(pod.ask("secret", "get", "hits"), "1")
        pod.ask("secret", "del", "rest")
        end = time.monotonic() + LIMIT
        while self.get(port, "/") != 200:
            self.assertLess(time.monotonic(), end, "it does not count again")
        self.assertEqual(pod.ask("secret", "get", "hits"), "2")


if __name__ == "__main__":
    unittest.main()
