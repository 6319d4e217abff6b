"""The program with the flags that the chart gives it, and with the chart's Redis."""

import base64
import http.client
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest

from certificates import Authority
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
        self.understands("everything")

    def test_it_understands_the_flags_for_a_redis_with_replicas(self):
        self.understands("redis-replicas")

    def test_it_understands_the_flags_for_tls(self):
        for case in ("redis-tls", "redis-replicas-tls", "external-redis-tls", "external-sentinels"):
            with self.subTest(case):
                self.understands(case)

    def understands(self, case: str) -> None:
        """Starts the program with the flags of a case."""
        flags = render(cases()[case]).container("Deployment")["args"]
        with tempfile.TemporaryDirectory(prefix="counter-chart-program-") as folder:
            password = pathlib.Path(folder) / "password"
            password.write_text("secret\n")
            flags = [each.replace("/run/secrets/redis/password", str(password)) for each in flags]
            tokens = pathlib.Path(folder) / "tokens"
            tokens.write_text("* a-token-for-everything\n")
            flags = [each.replace("/run/secrets/counter/tokens", str(tokens)) for each in flags]
            Authority(pathlib.Path(folder) / "authority").issue(pathlib.Path(folder), "redisapp")
            for each in ("redis-ca", "redis-client"):
                flags = [flag.replace(f"/run/secrets/{each}/", f"{folder}/") for flag in flags]
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
                self.assertIn("/hit/smoke-test/deployment counted visit 1, then 2", checked.stdout)
                # It takes one counter, however often it is made.
                again = subprocess.run([PROGRAM, *words], capture_output=True, text=True)
                self.assertIn("/hit/smoke-test/deployment counted visit 3, then 4", again.stdout)

    def pod(self, *sets: str) -> RedisPod:
        """The chart's Redis with values, which runs."""
        folder = tempfile.TemporaryDirectory(prefix="counter-chart-program-")
        self.addCleanup(folder.cleanup)
        pod = RedisPod(pathlib.Path(folder.name), b"secret", sets)
        self.addCleanup(pod.kill)
        pod.start()
        return pod

    def start_for(self, pod: RedisPod, *flags: str, sets: tuple[str, ...] = ()) -> int:
        """Starts the program with the flags of the chart and some more, and the Redis of a pod."""
        given = [pod.here(flag) for flag in render(sets=sets).container("Deployment")["args"]]
        given = [
            each.replace("redis://redisapp:6379", f"redis://127.0.0.1:{pod.port}")
            for each in given
        ]
        return self.start([*given, *flags], {})

    def send(
        self, port: int, path: str, method: str = "GET", headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        """The status and the body of the response to a request."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
        try:
            connection.request(method, path, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def test_the_test_of_the_chart_says_so_where_its_counter_may_not_be_and_does_not_fail(self):
        pod = self.pod()
        for sets, words in (
            ("counters.namespaces={blog,shop}", "answers 404: This server does not have this name"),
            ("counters.max=0", "answers 403: There are as many counters as may be; existing ones"),
        ):
            with self.subTest(sets):
                port = self.start_for(pod, sets=(sets,))
                [check] = render(sets=(sets,)).the("Pod")["spec"]["containers"]
                arguments = [
                    each.replace("counter:8000", f"127.0.0.1:{port}") for each in check["args"]
                ]
                checked = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True)
                self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
                self.assertIn("/hit/smoke-test/deployment was not checked", checked.stdout)
                self.assertIn(words, checked.stdout)

    def test_it_knows_the_generated_token_and_the_lines_that_are_added_to_the_secret(self):
        sets = ("counters.tokens.generate=true", "counters.namespaces={blog,shop}")
        [content] = render(sets=sets).the("Secret", "counter-tokens")["data"].values()
        tokens = base64.b64decode(content).decode()
        pod = self.pod()
        # As the kubelet does it: a link to a folder, which it replaces by one to another.
        volume = pod.folder / "tokens"
        (volume / "1").mkdir(parents=True)
        (volume / "1" / "tokens").write_text(tokens)
        (volume / "..data").symlink_to("1")
        (volume / "tokens").symlink_to("..data/tokens")
        port = self.start_for(pod, f"--tokens={volume}/tokens", sets=sets)

        def put(token: str) -> int:
            headers = {"Authorization": f"Bearer {token}"}
            return self.send(port, "/counters/blog/home?value=7", "PUT", headers)[0]

        self.assertEqual(put(tokens.split()[1]), 201)
        self.assertEqual(put("of-the-blog-1234567890"), 401)
        self.assertEqual(self.send(port, "/hit/other/home")[0], 404)
        (volume / "2").mkdir()
        (volume / "2" / "tokens").write_text("# for the blog\nblog of-the-blog-1234567890\n")
        (volume / "..data_tmp").symlink_to("2")
        (volume / "..data_tmp").rename(volume / "..data")
        end = time.monotonic() + LIMIT
        while put("of-the-blog-1234567890") != 200:
            self.assertLess(time.monotonic(), end, "the new token is not known")
            time.sleep(0.2)
        self.assertEqual(put(tokens.split()[1]), 401)

    def test_a_counter_and_an_idempotency_key_take_no_more_memory_than_the_chart_counts_with(self):
        pod = self.pod()
        tokens = pod.folder / "of-the-test"
        tokens.write_text("* a-token-for-everything\n")
        port = self.start_for(pod, f"--tokens={tokens}")

        def once(name: str, amount: int, idempotency_key: str) -> None:
            headers = {"Authorization": "Bearer a-token-for-everything"}
            headers |= {"Idempotency-Key": idempotency_key}
            status, _ = self.send(port, f"/hit/{name}?by={amount}", "POST", headers)
            self.assertEqual(status, 200)

        # Copies of a key with its value: KEYS, and how many copies. Each is as long as the original.
        copy = """
            local value, life = redis.call('get', KEYS[1]), redis.call('pttl', KEYS[1])
            for i = 1, ARGV[1] do
              local key = string.sub(KEYS[1], 1, -7) .. string.format('%06d', i)
              redis.call('set', key, value)
              if life > 0 then redis.call('pexpire', key, life) end
            end
            """
        # Just above a power of two, the tables have grown and are as empty as they can be.
        count = 33_000
        uuid = "01234567-89ab-cdef-0123-456789abcdef"
        for name, amount, idempotency_key, of_counter, of_record in (
            ("blog/page-1234567890", 1, uuid, 105, 225),
            (f"{'n' * 64}/{'k' * 128}", -(1 << 63), "i" * 255, 296, 688),
        ):
            pod.ask("secret", "flushall")
            once(name, amount, idempotency_key)
            found = sorted(pod.ask("secret", "--scan", "--pattern", "{*}:*/*").split(), key=len)
            self.assertEqual(len(found), 2, found)
            for original, most in zip(found, (of_counter, of_record)):
                before = self.used_memory(pod)
                pod.ask("secret", "eval", copy, "1", original, str(count))
                took = (self.used_memory(pod) - before) / count
                # Connections take some bytes, too. And the figure is not far from what is taken.
                self.assertLess(took, most * 1.02, f"a key of {len(original)} bytes")
                self.assertGreater(took, most * 0.8, f"a key of {len(original)} bytes")

    def used_memory(self, pod: RedisPod) -> int:
        """The bytes that Redis counts towards maxmemory, about."""
        [line] = re.findall(r"^used_memory:(\d+)", pod.ask("secret", "info", "memory"), re.M)
        return int(line)

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
