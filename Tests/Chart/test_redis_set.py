"""Promises of the chart's Redis with replicas."""

import pathlib
import re
import signal
import subprocess
import tempfile
import unittest

from chart import render
from concurrent_suite import beside_each_other
from redis_set import Pod, RedisSet, wait_for

BEFORE = render()  # a release without replicas
TLS = (
    "redis.tls.enabled=true", "redis.tls.existingSecret=redis-tls", "redis.tls.clientSecret=counter-tls"
)


class RedisSetTests(unittest.TestCase):
    def pods(self, *sets: str, secret: bytes = b"secret\n", replicas: int = 2) -> RedisSet:
        folder = tempfile.TemporaryDirectory(prefix="counter-chart-set-")
        self.addCleanup(folder.cleanup)
        there = RedisSet(pathlib.Path(folder.name), sets, secret, replicas)
        self.addCleanup(there.kill)
        return there

    def started(self, *sets: str) -> tuple[RedisSet, Pod]:
        """Pods that run, and the primary, with a count of 7."""
        there = self.pods(*sets)
        there.start()
        primary = there.settle()
        self.assertEqual(primary.ask("incrby", "hits", "7"), "7")
        self.assertEqual(primary.ask("wait", "2", "60000"), "2")
        return there, primary

    def wait_for_words(self, pod: Pod, words: str, name: str = "redis") -> None:
        wait_for(f"{pod.name} says: {words}", lambda: words in pod.log(name))

    def test_it_starts_with_the_first_pod_as_the_primary_and_all_pods_ready(self):
        there, primary = self.started()
        self.assertIs(primary, there.pods[0])
        for pod in there.pods:
            self.assertTrue(pod.is_content("readinessProbe"), pod.name)
            self.assertTrue(pod.is_content("livenessProbe"), pod.name)
            self.assertEqual(pod.ask("get", "hits"), "7")
            [_, always] = pod.ask("config", "get", "appendfsync").split()
            self.assertEqual(always, "always")
            found = pod.ask("sentinel", "get-master-addr-by-name", "counter", port=26379).split()
            self.assertEqual(found, ["redisapp-0", "6379"])
            self.assertIn("known-sentinel", (pod.volume / "sentinel.conf").read_text())

    def test_the_first_start_needs_all_pods_and_pods_that_wait_are_alive_and_not_ready(self):
        there = self.pods()
        there.start(0, 1)
        first, second, third = there.pods
        self.wait_for_words(first, "for the first time: the sentinels of 2 of 3 pods answer")
        for pod in (first, second):
            self.assertTrue(pod.is_content("livenessProbe"))
            self.assertFalse(pod.is_content("readinessProbe"))
        # A pod that waits ends when it is told to.
        second.kill(signal.SIGTERM)
        there.start(1, 2)
        self.assertIs(there.settle(), first)

    def test_a_primary_that_is_lost_is_replaced_and_comes_back_as_a_replica(self):
        there, lost = self.started()
        address = lost.address
        lost.kill()
        primary = there.settle()
        self.assertIsNot(primary, lost)
        self.assertEqual(primary.ask("incr", "hits"), "8")
        there.start(there.pods.index(lost))
        self.assertIs(there.settle(), primary)
        self.assertNotEqual(lost.address, address)
        self.assertEqual(lost.ask("get", "hits"), "8")
        # Once more, with the pod that was away.
        primary.kill()
        self.assertIsNot(there.settle(), primary)

    def test_a_primary_that_starts_again_at_once_lets_the_others_elect(self):
        there, primary = self.started()
        primary.kill(name="redis")
        primary.start_container("redis")
        self.wait_for_words(primary, "this pod was the primary: the others elect a primary")
        self.assertIsNot(there.settle(), primary)
        self.assertEqual(there.settle().ask("get", "hits"), "7")

    def test_a_primary_that_the_others_cannot_replace_starts_as_the_primary_again(self):
        there, primary = self.started()
        there.pods[1].kill()
        primary.kill()
        there.start(0)
        self.assertIs(there.settle(), primary)
        self.assertEqual(primary.ask("incr", "hits"), "8")
        there.start(1)
        self.assertIs(there.settle(), primary)

    def test_a_replica_that_is_lost_comes_back(self):
        there, primary = self.started()
        for number in (1, 2):
            there.pods[number].kill()
            self.assertEqual(primary.ask("wait", "1", "60000"), "1")
            primary.ask("incr", "hits")
            there.start(number)
            self.assertIs(there.settle(), primary)
        self.assertEqual([pod.ask("get", "hits") for pod in there.pods], ["9"] * 3)

    def test_all_pods_restart_at_other_addresses_and_with_the_same_primary(self):
        there, lost = self.started()
        lost.kill()
        primary = there.settle()
        primary.ask("incr", "hits")
        there.start(there.pods.index(lost))
        there.settle()
        for how in (signal.SIGKILL, signal.SIGTERM):
            for pod in there.pods:
                pod.kill(how)
            there.start()
            self.assertIs(there.settle(), primary)
            self.assertEqual([pod.ask("get", "hits") for pod in there.pods], ["8"] * 3)

    def test_after_a_restart_of_all_pods_no_replica_takes_the_place_of_a_late_primary(self):
        there, primary = self.started()
        there.kill()
        there.start(1, 2)
        for pod in there.pods[1:]:
            # Its sentinel has missed the primary for long enough, and yet elects nobody.
            self.wait_for_words(pod, "+sdown master counter redisapp-0", "sentinel")
        self.assertEqual([pod.votes() for pod in there.pods[1:]], [False, False])
        there.start(0)
        self.assertIs(there.settle(), primary)
        self.assertNotIn("+elected-leader", there.pods[1].log("sentinel") + there.pods[2].log("sentinel"))

    def test_a_pod_that_lost_its_volume_gets_all_of_it_again(self):
        there, primary = self.started()
        for pod in (there.pods[1], primary):
            pod.kill()
            pod.lose_volume()
            pod.start(there.objects)
            self.assertIsNot(there.settle(), pod)
            self.assertEqual([each.ask("get", "hits") for each in there.pods], ["7"] * 3)
        # They are three sentinels, not five.
        found = there.pods[2].ask("sentinel", "sentinels", "counter", port=26379)
        self.assertEqual(found.count("known") + len(re.findall("^runid$", found, re.M)), 2)

    def test_a_primary_that_lost_its_volume_waits_until_the_operator_chooses(self):
        there, primary = self.started()
        there.kill()
        primary.lose_volume()
        there.start()
        self.wait_for_words(primary, "was the primary, and its volume is another one")
        for pod in there.pods[1:]:
            wait_for(f"{pod.name} is up", lambda: pod.info().get("role") == "slave")
            self.assertEqual(pod.ask("get", "hits"), "7")
        self.assertTrue(primary.is_content("livenessProbe"))
        self.assertEqual(there.pods[2].script("promote").stdout, "redisapp-2 is the primary\n")
        self.assertIs(there.settle(), there.pods[2])
        self.assertIn("100", there.pods[2].ask("config", "get", "replica-priority"))
        self.assertEqual([pod.ask("get", "hits") for pod in there.pods], ["7"] * 3)

    def test_a_sentinel_takes_part_in_elections_only_while_its_redis_answers(self):
        there, primary = self.started()
        pod = there.pods[1]
        pod.kill(name="redis")
        wait_for("its sentinel does not vote", lambda: not pod.votes())
        denied = there.pods[2].ask("acl", "dryrun", "sentinel", "sentinel", "master", "x", port=26379)
        self.assertEqual(denied, "OK")
        ask = ("acl", "dryrun", "sentinel", "sentinel", "is-master-down-by-addr", "a", "1", "1", "*")
        wait_for("it gives no vote", lambda: "no permissions" in pod.ask(*ask, port=26379))
        self.assertEqual(there.pods[2].ask(*ask, port=26379), "OK")
        # So the other replica alone is no majority, and what only the first has is not lost.
        primary.kill()
        self.wait_for_words(there.pods[2], "+sdown master counter redisapp-0", "sentinel")
        self.assertEqual(there.pods[2].info()["role"], "slave")
        there.start(0)
        pod.start_container("redis")
        self.assertIs(there.settle(), primary)
        self.assertEqual(primary.ask("get", "hits"), "7")

    def test_a_release_with_one_pod_gets_replicas_and_keeps_the_count(self):
        there = self.pods()
        first, *others = there.pods
        first.start(BEFORE)
        wait_for("it answers", lambda: first.ask("set", "hits", "41") == "OK")
        # Kubernetes replaces the old pod when the new ones are ready.
        there.start(1, 2)
        for pod in others:
            wait_for(f"{pod.name} is ready", lambda: pod.is_content("readinessProbe"))
        self.assertEqual(first.ask("incr", "hits"), "42")
        first.kill(signal.SIGTERM)
        there.start(0)
        self.assertIs(there.settle(), first)
        self.assertEqual([pod.ask("get", "hits") for pod in there.pods], ["42"] * 3)
        first.kill()
        self.assertEqual(there.settle().ask("get", "hits"), "42")

    def test_a_release_gets_two_more_replicas_and_goes_on_when_two_pods_are_lost_at_once(self):
        there = self.pods(replicas=4)
        three = render(sets=("redis.replicas=2",))
        for pod in there.pods[:3]:
            pod.start(three)
        there.settle().ask("set", "hits", "7")
        there.start(3, 4)
        for pod in there.pods[:2:-1]:
            wait_for(f"{pod.name} is ready", lambda: pod.is_content("readinessProbe"))
        for pod in there.pods[2::-1]:
            pod.kill(signal.SIGTERM)
            pod.start(there.objects)
            wait_for(f"{pod.name} is ready", lambda: pod.is_content("readinessProbe"))
        primary = there.settle()
        self.assertEqual([pod.ask("get", "hits") for pod in there.pods], ["7"] * 5)
        lost = [primary, next(pod for pod in there.pods if pod is not primary)]
        for pod in lost:
            pod.kill()
        self.assertEqual(there.settle().ask("incr", "hits"), "8")
        for pod in lost:
            pod.start(there.objects)
        there.settle()
        self.assertEqual([pod.ask("get", "hits") for pod in there.pods], ["8"] * 5)

    def test_a_release_without_replicas_refuses_a_volume_that_is_behind(self):
        there, lost = self.started()
        lost.kill()
        primary = there.settle()
        there.start(0)
        there.settle()
        there.kill()
        lost.start(BEFORE)
        self.wait_for_words(lost, f"The count is in the volume of {primary.name}")
        lost.kill()
        there.start()
        self.assertIs(there.settle(), primary)

    def test_a_pod_that_was_the_primary_goes_on_alone_without_replicas(self):
        there, lost = self.started()
        lost.kill()
        there.settle()
        there.start(0)
        there.settle()
        # The operator makes the first pod the primary again, twice to be sure.
        for _ in range(2):
            self.assertEqual(lost.script("promote").stdout, "redisapp-0 is the primary\n")
        primary = there.settle()
        self.assertIs(primary, lost)
        there.kill()
        primary.start(BEFORE)
        wait_for("it answers", lambda: primary.ask("incr", "hits") == "8")
        primary.kill()
        there.start()
        self.assertIs(there.settle(), primary)
        self.assertEqual([pod.ask("get", "hits") for pod in there.pods], ["8"] * 3)

    def test_a_password_is_changed_one_pod_after_another(self):
        awkward = "two words # \"quoted\" 'twice' \\ $HOME %s pässwörd"
        there = self.pods(secret=awkward.encode() + b"\r\n")
        there.start()
        primary = there.settle()
        primary.ask("set", "hits", "7")
        for pod in there.pods:
            for each in pod.volume.rglob("*"):
                self.assertNotIn("pässwörd".encode(), each.read_bytes() if each.is_file() else b"")
        there.change_password(b"another")
        self.assertEqual([pod.ask("get", "hits") for pod in there.pods], ["7"] * 3)
        there.settle()
        for pod in reversed(there.pods):
            pod.kill(signal.SIGTERM)
            pod.start(there.objects)
            wait_for(f"{pod.name} is in sync", lambda: pod.is_content("readinessProbe"))
        primary = there.settle()
        self.assertEqual([pod.ask("get", "hits") for pod in there.pods], ["7"] * 3)
        primary.kill()
        self.assertEqual(there.settle().ask("incr", "hits"), "8")

    def test_a_pod_that_is_replaced_before_the_others_read_the_new_password_holds_up_the_next_one(self):
        there, first = self.started()
        _, second, third = there.pods
        there.write_password(b"another")
        third.kill()
        third.start(there.objects)
        self.wait_for_words(third, "Redis waits: the sentinels of 1 of 3 pods answer")
        there.read_password(first)
        # The primary accepts the new password now, the other replica does not.
        wait_for("it is in sync", lambda: third.info().get("master_link_status") == "up")
        wait_for("the replica holds it up", lambda: "yet by redisapp-1" in third.script("ready").stdout)
        there.read_password(second)
        wait_for("it is ready", lambda: third.is_content("readinessProbe"))
        # Each of the two elects the other one, whichever password it started with.
        there.settle()
        first.kill()
        primary = there.settle()
        self.assertEqual(primary.ask("incr", "hits"), "8")
        there.start(0)
        self.assertIs(there.settle(), primary)
        primary.kill()
        self.assertEqual(there.settle().ask("incr", "hits"), "9")

    def test_a_pod_that_has_read_the_new_password_follows_a_primary_that_has_not(self):
        there, first = self.started(*TLS)
        _, second, third = there.pods
        there.write_password(b"another")
        there.read_password(first, second)
        # A container that starts again signs in with the old one, too.
        second.kill(name="redis")
        second.start_container("redis")
        wait_for("it is in sync", lambda: second.is_content("readinessProbe"))
        wait_for("its sentinel votes", second.votes)
        # The third pod, which accepts only the old one, is elected.
        for pod in (first, second):
            self.assertEqual(pod.ask("config", "set", "replica-priority", "200"), "OK")
        first.kill()
        wait_for("it follows", lambda: second.info().get("master_host") == third.name)
        wait_for("it is in sync", lambda: second.info().get("master_link_status") == "up")
        there.read_password(third)
        self.assertEqual(third.ask("incr", "hits"), "8")
        there.start(0)
        self.assertIs(there.settle(), third)

    def test_a_pod_is_away_while_the_password_is_changed_and_is_elected_when_it_is_back(self):
        there, first = self.started()
        _, second, third = there.pods
        third.kill()
        there.write_password("new words # \"quoted\" 'twice' \\ $HOME %s pässwörd".encode())
        there.read_password(first, second)
        third.start(there.objects)
        there.settle()
        self.assertEqual(second.ask("config", "set", "replica-priority", "200"), "OK")
        first.kill()
        self.assertIs(there.settle(), third)
        self.assertEqual(third.ask("incr", "hits"), "8")
        # The old password is gone with the last pod that knew it.
        there.start(0)
        there.settle()
        second.kill()
        there.start(1)
        there.settle()
        for pod in there.pods:
            old = pod.run("timeout", "5", "redis-cli", "-h", pod.address, "-a", "secret", "ping")
            self.assertIn("WRONGPASS", old.stdout + old.stderr)

    def test_with_tls_everything_is_encrypted_and_renewed_certificates_are_read(self):
        there, lost = self.started(*TLS)
        serial = self.serial(there, lost, 6379)
        there.renew()
        for pod in there.pods:
            self.assertTrue(pod.is_content("readinessProbe"))
            self.assertTrue(pod.is_content("livenessProbe"))
            for port in (6379, 26379):
                wait_for("it shows the new one", lambda: self.serial(there, pod, port) not in ("", serial))
            plain = pod.run("timeout", "5", "redis-cli", "-h", pod.address, "ping")
            self.assertNotIn("NOAUTH", plain.stdout)
            unknown = pod.run(
                "timeout", "5", "redis-cli", "--tls", "--cacert", f"{there.folder}/tls/ca.crt", "-h",
                pod.address, "ping",
            )
            self.assertNotIn("NOAUTH", unknown.stdout, "a client without a certificate")
        there.settle()
        lost.kill()
        primary = there.settle()
        self.assertEqual(primary.ask("incr", "hits"), "8")
        there.start(0)
        self.assertIs(there.settle(), primary)
        there.kill()
        there.start()
        self.assertEqual(there.settle().ask("get", "hits"), "8")

    def serial(self, there: RedisSet, pod: Pod, port: int) -> str:
        """The serial number of the certificate that a server of a pod shows, or ""."""
        shown = subprocess.run(
            f"openssl s_client -connect {pod.address}:{port} -cert tls/tls.crt -key tls/tls.key </dev/null"
            " 2>/dev/null | openssl x509 -noout -serial",
            shell=True, cwd=there.folder, capture_output=True, text=True,
        )
        return shown.stdout.strip()


def load_tests(loader: unittest.TestLoader, *_: object) -> unittest.TestSuite:
    return beside_each_other(loader, RedisSetTests)


if __name__ == "__main__":
    unittest.main()
