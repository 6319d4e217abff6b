"""Promises of the chart's Redis."""

import pathlib
import signal
import stat
import tempfile
import unittest

from redis_pod import RedisPod


class RedisPodTests(unittest.TestCase):
    def pod(self, password: bytes, *sets: str) -> RedisPod:
        folder = tempfile.TemporaryDirectory(prefix="counter-chart-redis-")
        self.addCleanup(folder.cleanup)
        pod = RedisPod(pathlib.Path(folder.name), password, sets)
        self.addCleanup(pod.kill)
        return pod

    def test_it_accepts_its_password_with_any_characters_and_no_other(self):
        for password in ("secret", "two words # \"quoted\" 'twice' \\ $HOME %s", "pässwörd"):
            with self.subTest(password):
                pod = self.pod(password.encode() + b"\n")
                pod.start()
                self.assertEqual(pod.ask(password, "incr", "hits"), "1")
                self.assertIn("NOAUTH", pod.ask(None, "get", "hits"))
                self.assertIn("WRONGPASS", pod.ask("guess", "get", "hits"))

    def test_it_reads_the_end_of_the_secret_as_the_counter_does(self):
        for content, password in (
            (b"secret", "secret"),
            (b"secret\n", "secret"),
            (b"secret\r\n", "secret"),
            (b"secret\r", "secret"),
            (b" secret \n", " secret "),
            (b"secret\n\n", "secret\n"),
        ):
            with self.subTest(content):
                pod = self.pod(content)
                pod.start()
                self.assertEqual(pod.ask(password, "ping"), "PONG")

    def test_an_empty_password_is_refused(self):
        for content in (b"", b"\n", b"\r\n"):
            with self.subTest(content):
                pod = self.pod(content)
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
        for file in (pod.folder / "users").iterdir():
            self.assertNotIn("open-sesame", file.read_text())
            self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)

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

    def test_a_new_password_is_accepted_beside_the_old_one_and_leaves_it_ready(self):
        pod = self.pod(b"secret")
        pod.start()
        pod.set_password(b"another\r\n")
        self.assertTrue(pod.probe("readinessProbe"))
        self.assertTrue(pod.probe("livenessProbe"))
        self.assertEqual(pod.ask("another", "incr", "hits"), "1")
        self.assertEqual(pod.ask("secret", "incr", "hits"), "2")
        pod.set_password(b"third")
        self.assertTrue(pod.probe("readinessProbe"))
        for password in ("secret", "another", "third"):
            self.assertEqual(pod.ask(password, "ping"), "PONG")
        self.assertIn("WRONGPASS", pod.ask("guess", "ping"))

    def test_a_restarted_container_still_accepts_the_passwords_before_and_a_new_pod_does_not(self):
        pod = self.pod(b"secret")
        pod.start()
        pod.set_password(b"another")
        self.assertTrue(pod.probe("readinessProbe"))
        pod.stop(signal.SIGKILL)
        pod.start()
        self.assertEqual(pod.ask("secret", "ping"), "PONG")
        self.assertEqual(pod.ask("another", "ping"), "PONG")
        new = self.pod(b"another")
        new.start()
        self.assertIn("WRONGPASS", new.ask("secret", "ping"))

    def test_a_secret_that_becomes_empty_changes_nothing(self):
        pod = self.pod(b"secret")
        pod.start()
        pod.set_password(b"")
        self.assertTrue(pod.probe("readinessProbe"))
        self.assertEqual(pod.ask("secret", "ping"), "PONG")

    def test_the_user_of_the_probe_can_do_nothing_else(self):
        pod = self.pod(b"secret")
        pod.start()
        password = (pod.folder / "users" / "probe").read_text().strip()
        self.assertEqual(pod.ask(password, "--user", "probe", "ping"), "PONG")
        for words in (("incr", "hits"), ("get", "hits"), ("acl", "list"), ("config", "get", "*")):
            self.assertIn("NOPERM", pod.ask(password, "--user", "probe", *words))

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

    def test_its_memory_limit_is_above_its_maxmemory(self):
        for limit, bytes in (("256Mi", 192 << 20), ("0.5Gi", 384 << 20), ("1T", 750_000_000_000)):
            with self.subTest(limit):
                pod = self.pod(b"secret", f"redis.resources.limits.memory={limit}")
                pod.start()
                answer = pod.ask("secret", "config", "get", "maxmemory")
                self.assertEqual(answer.split(), ["maxmemory", str(bytes)])
        unlimited = self.pod(b"secret", "redis.resources.limits.memory=null")
        unlimited.start()
        answer = unlimited.ask("secret", "config", "get", "maxmemory")
        self.assertEqual(answer.split(), ["maxmemory", "0"])

    def test_a_full_redis_refuses_to_count_and_neither_grows_nor_forgets(self):
        pod = self.pod(b"secret", "redis.resources.limits.memory=32Mi")
        pod.start()
        self.assertEqual(pod.ask("secret", "incr", "hits"), "1")
        value = "x" * 100_000
        answers = [pod.ask("secret", "set", f"key-{number}", value) for number in range(200)]
        kept = answers.count("OK")
        self.assertGreater(kept, 100)
        self.assertLess(kept, 200)
        self.assertTrue(all(each.startswith("OOM") for each in answers[kept:]), answers[kept:])
        # The limit is checked when a command begins, so a script takes the last of the room.
        fill = "return redis.call('append', 'key-0', string.rep('x', 200000))"
        self.assertEqual(pod.ask("secret", "eval", fill, "0"), "300000")
        self.assertTrue(pod.ask("secret", "incr", "hits").startswith("OOM"))
        self.assertEqual(pod.ask("secret", "get", "hits"), "1")
        self.assertEqual(pod.ask("secret", "dbsize"), str(kept + 1))
        self.assertLess(pod.peak_memory(), 32 << 20)
        # Once there is room, it counts again.
        pod.ask("secret", "del", *(f"key-{number}" for number in range(10)))
        self.assertEqual(pod.ask("secret", "incr", "hits"), "2")


if __name__ == "__main__":
    unittest.main()
