"""The program with the flags and the Redis of the chart with replicas, while pods are lost."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

from certificates import Authority
from chart import Release, render
from concurrent_suite import beside_each_other
from redis_pod import free_port
from redis_set import RedisSet, wait_for
from test_redis_set import BEFORE, TLS
from visitor import Visitors

PROGRAM = os.environ["COUNTER_EXECUTABLE"]


class FailoverTests(unittest.TestCase):
    def pods(self, *sets: str) -> RedisSet:
        folder = tempfile.TemporaryDirectory(prefix="counter-chart-failover-")
        self.addCleanup(folder.cleanup)
        there = RedisSet(pathlib.Path(folder.name), sets)
        self.addCleanup(there.kill)
        return there

    def start_counter(self, there: RedisSet, release: Release | None = None) -> int:
        """Starts the program with the flags of the chart, and returns its port, once it has visited."""
        port = free_port()
        here = {"--host": "127.0.0.1", "--port": str(port), "--metrics-port": "0", "--threads": "1"}
        flags = dict(
            each.partition("=")[::2] for each in (release or there.objects).container("Deployment")["args"]
        )
        for flag, value in flags.items():
            for folder, files in (("redis", "password"), ("redis-ca", "tls"), ("redis-client", "tls")):
                value = value.replace(f"/run/secrets/{folder}/", f"{there.folder}/{files}/")
            flags[flag] = value
        log = there.folder / "counter.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [PROGRAM, *(f"{flag}={value}" for flag, value in (flags | here).items())],
                env=there.names.environment(), stdout=output, stderr=output,
            )
        self.addCleanup(process.wait, 60)
        self.addCleanup(process.terminate)
        wait_for("the program listens", lambda: process.poll() is not None or self.listens(port))
        self.assertIsNone(process.poll(), log.read_text())
        return port

    def listens(self, port: int) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5):
            return True
        return False

    def visited(self, port: int) -> Visitors:
        visitors = Visitors(port)
        self.addCleanup(visitors.stop)
        self.go_on(visitors)
        return visitors

    def go_on(self, visitors: Visitors) -> None:
        """Waits until more visits were answered."""
        before = len(visitors.visits)
        wait_for("visits are answered", lambda: len(visitors.visits) > before + 20)

    def check(self, there: RedisSet, visitors: Visitors, fails: bool = False) -> None:
        """Checks the numbers that visitors were given."""
        self.go_on(visitors)
        visitors.stop()
        print(f"{len(visitors.visits)} visits, {visitors.longest():.1f} s at most", file=sys.stderr)
        self.assertEqual(visitors.errors(), [])
        if not fails:
            self.assertEqual(visitors.failures, [], (there.folder / "counter.log").read_text()[-2000:])

    def test_a_primary_that_is_lost_costs_no_visit_and_no_number_comes_twice(self):
        there = self.pods()
        there.start()
        primary = there.settle()
        visitors = self.visited(self.start_counter(there))
        for how in (signal.SIGKILL, signal.SIGTERM):
            primary.kill(how)
            lost, primary = primary, there.settle()
            self.go_on(visitors)
            lost.start(there.objects)
            there.settle()
            self.go_on(visitors)
        self.check(there, visitors)

    def test_each_pod_is_replaced_in_turn_as_by_an_upgrade(self):
        there = self.pods()
        there.start()
        there.settle()
        visitors = self.visited(self.start_counter(there))
        for pod in reversed(there.pods):
            pod.kill(signal.SIGTERM)
            pod.start(there.objects)
            wait_for(f"{pod.name} is ready", lambda: pod.is_content("readinessProbe"))
        self.check(there, visitors)

    def test_the_password_is_changed_and_pods_are_lost_meanwhile(self):
        there = self.pods()
        there.start()
        there.settle()
        first, second, third = there.pods
        self.assertEqual(second.script("promote").stdout, "redisapp-1 is the primary\n")
        there.settle()
        visitors = self.visited(self.start_counter(there))
        there.change_password(b"another")
        # The first pod that is replaced knows the new password only, and takes the place of the primary.
        self.assertEqual(first.ask("config", "set", "replica-priority", "200"), "OK")
        third.kill(signal.SIGTERM)
        third.start(there.objects)
        wait_for("the replaced pod is ready", lambda: third.is_content("readinessProbe"))
        wait_for("it votes", third.votes)
        second.kill(signal.SIGTERM)
        self.assertIs(there.settle(), third)
        self.go_on(visitors)
        second.start(there.objects)
        there.settle()
        # The last pod that knows the old password is lost.
        first.kill()
        self.go_on(visitors)
        first.start(there.objects)
        there.settle()
        self.check(there, visitors)

    def test_all_pods_are_lost_at_once_and_come_back_at_other_addresses(self):
        there = self.pods()
        there.start()
        there.settle()
        visitors = self.visited(self.start_counter(there))
        there.kill()
        there.start()
        there.settle()
        self.check(there, visitors)

    def test_a_replica_that_is_lost_and_one_without_its_volume_cost_nothing(self):
        there = self.pods()
        there.start()
        there.settle()
        visitors = self.visited(self.start_counter(there))
        for pod in there.pods[1:]:
            pod.kill()
            self.go_on(visitors)
            pod.lose_volume()
            pod.start(there.objects)
            there.settle()
            self.go_on(visitors)
        self.check(there, visitors)

    def test_both_replicas_are_lost_and_nobody_is_answered_until_one_is_back(self):
        there = self.pods("visitTimeout=2")
        there.start()
        there.settle()
        visitors = self.visited(self.start_counter(there))
        for pod in there.pods[1:]:
            pod.kill()
        wait_for("visits are refused", lambda: len(visitors.failures) > 4)
        self.assertTrue(all(each.startswith("503") for each in visitors.failures), visitors.failures[0])
        there.start(2)
        self.check(there, visitors, fails=True)

    def test_a_release_with_one_pod_gets_replicas_under_load(self):
        there = self.pods()
        first, *others = there.pods
        first.start(BEFORE)
        # The Service of the old counter leads to the pod.
        there.names.set("redisapp", first.address)
        old = self.visited(self.start_counter(there, BEFORE))
        there.start(1, 2)
        for pod in others:
            wait_for(f"{pod.name} is ready", lambda: pod.is_content("readinessProbe"))
        new_port = self.start_counter(there)
        first.kill(signal.SIGTERM)
        there.start(0)
        there.names.set("redisapp", first.address)
        there.settle()
        self.check(there, old)
        new = self.visited(new_port)
        first.kill()
        there.settle()
        self.check(there, new)
        largest = max(each.number for each in old.visits)
        self.assertGreater(min(each.number for each in new.visits), largest)

    def test_with_tls_a_primary_that_is_lost_costs_no_visit(self):
        there = self.pods(*TLS)
        there.start()
        primary = there.settle()
        visitors = self.visited(self.start_counter(there))
        primary.kill()
        there.settle()
        primary.start(there.objects)
        there.settle()
        self.check(there, visitors)

    def test_it_counts_in_a_redis_with_tls_and_refuses_one_of_another_authority(self):
        there = self.pods(*TLS[:2])
        first = there.pods[0]
        release = render(sets=TLS[:2])
        first.start(release)
        there.names.set("redisapp", first.address)
        self.check(there, self.visited(self.start_counter(there, release)))
        there.authority.folder.rename(there.folder / "authority-before")
        there.authority = Authority(there.folder / "authority")
        first.kill()
        first.start(release)
        there.names.set("redisapp", first.address)
        (there.folder / "tls" / "ca.crt").write_bytes((there.folder / "authority/ca.crt").read_bytes())
        log = there.folder / "counter.log"
        visitors = Visitors(self.start_counter(there, release))
        self.addCleanup(visitors.stop)
        wait_for("it says why", lambda: "is from an authority that is not trusted" in log.read_text())
        visitors.stop()
        self.assertEqual(visitors.visits, [])


def load_tests(loader: unittest.TestLoader, *_: object) -> unittest.TestSuite:
    return beside_each_other(loader, FailoverTests)


if __name__ == "__main__":
    unittest.main()
