"""A release's life, with a real Helm and a stand-in for the cluster.

What only a real cluster can show is not here: that the API server lets it all in, and that pods
start, are found, and stop as the chart means them to.
"""

import base64
import copy
import functools
import pathlib
import re
import tempfile
import unittest
import unittest.mock

from chart import CHART, HELM_3, HELM_4, HelmFailed, cases, helm
from cluster import NAMED, Cluster, cluster, lacks_resources
from restricted import violations

CASES = cases()


class Operator:
    """An operator, with Helm and the address of a cluster."""

    def __init__(self, program: pathlib.Path, there: Cluster) -> None:
        self.program = program
        self.there = there

    def run(self, verb: str, release: str, *arguments: str | pathlib.Path) -> str:
        """Runs Helm on a release in a namespace."""
        return helm(
            self.program, verb, release, *arguments, "--namespace", "web",
            kubeconfig=self.there.kubeconfig,
        )

    def install(self, case: str = "defaults", release: str = "visits") -> str:
        """Installs the chart with the values of a case and returns the output of Helm."""
        return self.run(
            "install", release, CHART, "--values", CASES[case], "--disable-openapi-validation"
        )

    def upgrade(self, *sets: str, waits: bool = False) -> None:
        """Upgrades the release, and waits for its pods or takes it back when it is to."""
        flags = [word for each in sets for word in ("--set", each)]
        if waits:
            take_back = "--atomic" if self.program == HELM_3 else "--rollback-on-failure"
            flags += ["--wait", "--timeout", "3s", take_back]
        self.run("upgrade", "visits", CHART, "--disable-openapi-validation", *flags)

    def tokens(self) -> str:
        """The file of tokens that was generated."""
        secret = self.there.object("Secret", "counter-tokens")
        return base64.b64decode(secret["data"]["tokens"]).decode()

    def password(self) -> str:
        """The password that was generated."""
        secret = self.there.object("Secret", "redisapp-password")
        return base64.b64decode(secret["data"]["password"]).decode()


def with_each_helm(test):
    """Runs a test with each Helm, on an empty cluster each time."""

    @functools.wraps(test)
    def run(self):
        for program in (HELM_3, HELM_4):
            with self.subTest(helm=program.name), cluster("1.36.0") as there:
                test(self, Operator(program, there))

    return run


class ReleaseTests(unittest.TestCase):
    @with_each_helm
    def test_a_generated_password_is_kept_over_upgrades_and_a_roll_back(self, operator):
        operator.install()
        password = operator.password()
        self.assertRegex(password, "^[A-Za-z0-9]{32}$")
        operator.upgrade("image=counter:2")
        self.assertEqual(operator.password(), password)
        operator.upgrade("image=counter:3", "timestamp=3")
        self.assertEqual(operator.password(), password)
        operator.run("rollback", "visits", "1")
        self.assertEqual(operator.password(), password)

    @with_each_helm
    def test_a_generated_token_is_kept_over_upgrades_and_with_the_lines_that_were_added(self, operator):
        on = "counters.tokens.generate=true"
        operator.install()
        self.assertIsNone(operator.there.object("Secret", "counter-tokens"))
        operator.upgrade(on)
        tokens = operator.tokens()
        self.assertRegex(tokens, r"^\* [A-Za-z0-9]{40}\n$")
        operator.upgrade(on, "image=counter:2")
        self.assertEqual(operator.tokens(), tokens)
        key = (NAMED["Secret"], "web", "counter-tokens")
        secret = copy.deepcopy(operator.there.object("Secret", "counter-tokens"))
        more = tokens + "blog a-token-for-the-blog\n"
        secret["data"]["tokens"] = base64.b64encode(more.encode()).decode()
        operator.there.put(key, secret)
        operator.upgrade(on, "image=counter:3")
        self.assertEqual(operator.tokens(), more)

    @with_each_helm
    def test_a_secret_of_tokens_that_is_not_there_leaves_the_old_counter_alone(self, operator):
        there = operator.there

        def flags() -> list[str]:
            pod = there.object("Deployment", "counter")["spec"]["template"]["spec"]
            return pod["containers"][0]["args"]

        operator.install()
        before = flags()
        with self.assertRaises(HelmFailed):
            operator.upgrade("counters.tokens.existingSecret=ours", waits=True)
        self.assertEqual(flags(), before)
        there.put((NAMED["Secret"], "web", "ours"), {"data": {"tokens": "KiBhLXRva2VuCg=="}})
        ours = copy.deepcopy(there.object("Secret", "ours")["data"])
        operator.upgrade("counters.tokens.existingSecret=ours", waits=True)
        self.assertIn("--tokens=/run/secrets/counter/tokens", flags())
        operator.run("uninstall", "visits")
        self.assertEqual(there.object("Secret", "ours")["data"], ours)

    @with_each_helm
    def test_a_generated_token_outlives_the_release_and_belongs_to_the_next_one(self, operator):
        on = "counters.tokens.generate=true"
        operator.install()
        operator.upgrade(on)
        tokens = operator.tokens()
        operator.run("uninstall", "visits")
        self.assertEqual(operator.there.kinds(), {"Secret"})
        operator.install()
        operator.upgrade(on)
        self.assertEqual(operator.tokens(), tokens)
        operator.run("uninstall", "visits")
        operator.run(
            "install", "visits", CHART, "--disable-openapi-validation", "--set", on
        )
        self.assertEqual(operator.tokens(), tokens)

    @with_each_helm
    def test_an_upgrade_replaces_the_counter_and_not_redis(self, operator):
        operator.install()
        redis = operator.there.object("StatefulSet", "redisapp")["spec"]
        operator.upgrade("image=counter:2")
        counter = operator.there.object("Deployment", "counter")["spec"]["template"]["spec"]
        self.assertEqual(counter["containers"][0]["image"], "counter:2")
        self.assertEqual(operator.there.object("StatefulSet", "redisapp")["spec"], redis)

    @with_each_helm
    def test_it_can_be_uninstalled_and_installed_again(self, operator):
        operator.install()
        password = operator.password()
        operator.run("uninstall", "visits")
        self.assertEqual(operator.there.kinds(), set())
        operator.install()
        self.assertNotEqual(operator.password(), password)

    @with_each_helm
    def test_a_secret_of_the_operators_own_is_left_alone(self, operator):
        secret = operator.there.put(
            (NAMED["Secret"], "web", "our-secret"), {"data": {"redis": "c2VjcmV0"}}
        )
        theirs = copy.deepcopy(secret)
        operator.install("existing-secret")
        self.assertIsNone(operator.there.object("Secret", "redisapp-password"))
        operator.run("uninstall", "visits")
        self.assertEqual(operator.there.object("Secret", "our-secret"), theirs)

    @with_each_helm
    def test_a_second_release_needs_other_names(self, operator):
        operator.install()
        with self.assertRaisesRegex(HelmFailed, "exists and cannot be imported"):
            operator.install(release="second")
        operator.install("renamed", release="third")


    @with_each_helm
    def test_a_change_that_keeps_redis_from_getting_ready_is_taken_back(self, operator):
        there = operator.there
        there.behave(quota=True)
        operator.install()
        # A quota that Redis's container does not meet without all of its resources.
        with self.assertRaises(HelmFailed):
            operator.upgrade("redis.resources.requests=null", waits=True)
        redis = there.object("StatefulSet", "redisapp")
        self.assertEqual(redis["status"]["readyReplicas"], 1)
        pod = there.object("Pod", f"redisapp-{redis['metadata']['generation']}-0")
        self.assertEqual(pod["status"]["phase"], "Running")
        operator.upgrade("image=counter:2", waits=True)

    @with_each_helm
    def test_a_redis_that_was_ordered_stays_so_because_the_field_cannot_change(self, operator):
        operator.install()
        there = operator.there
        redis = copy.deepcopy(there.object("StatefulSet", "redisapp"))
        redis["spec"]["podManagementPolicy"] = "OrderedReady"
        there.put((NAMED["StatefulSet"], "web", "redisapp"), redis)
        operator.upgrade("image=counter:2", waits=True)
        kept = there.object("StatefulSet", "redisapp")["spec"]["podManagementPolicy"]
        self.assertEqual(kept, "OrderedReady")
        # The way to make it parallel, as the chart's README says.
        there.remove((NAMED["StatefulSet"], "web", "redisapp"))
        operator.upgrade("image=counter:3", waits=True)
        made = there.object("StatefulSet", "redisapp")["spec"]["podManagementPolicy"]
        self.assertEqual(made, "Parallel")

    @with_each_helm
    def test_an_image_or_a_secret_of_redis_that_is_not_there_leaves_the_old_redis_alone(self, operator):
        there = operator.there
        there.put((NAMED["Secret"], "web", "theirs"), {"data": {"password": "c2VjcmV0"}})
        of_tls = {each: "c2VjcmV0" for each in ("ca.crt", "tls.crt", "tls.key")}
        there.put((NAMED["Secret"], "web", "certificates"), {"data": of_tls})
        tls = "redis.tls.enabled=true,redis.tls.existingSecret="
        operator.install()
        redis = copy.deepcopy(there.object("StatefulSet", "redisapp")["spec"])
        for change in ("redis.image=redis:broken", f"{tls}missing", "redis.existingSecret=missing"):
            with self.assertRaises(HelmFailed):
                operator.upgrade(change, waits=True)
            self.assertEqual(there.object("StatefulSet", "redisapp")["spec"], redis)
            self.assertIsNone(there.object("Pod", "redisapp-trial"))
        for change in ("redis.image=redis:8.4", "redis.existingSecret=theirs", f"{tls}certificates"):
            operator.upgrade(change, waits=True)
            self.assertNotEqual(there.object("StatefulSet", "redisapp")["spec"], redis)
            self.assertIsNone(there.object("Pod", "redisapp-trial"))
        trials = [pod for _, _, pod in there.events if pod["metadata"]["name"] == "redisapp-trial"]
        self.assertGreaterEqual(len(trials), 4)
        for pod in trials:
            self.assertEqual(violations(pod["spec"]) + lacks_resources(pod["spec"]), [])

    @with_each_helm
    def test_the_test_needs_no_more_of_a_quota_than_it_says_and_leaves_no_pod(self, operator):
        operator.there.behave(quota=True)
        operator.install()
        operator.run("test", "visits")
        self.assertIsNone(operator.there.object("Pod", "counter-test"))


class NotesTests(unittest.TestCase):
    def notes(self, case: str, version: str = "1.36.0") -> str:
        with cluster(version) as there:
            said = Operator(HELM_4, there).install(case)
        return said.partition("NOTES:\n")[2]

    def test_they_say_how_to_reach_it(self):
        ways = {
            "defaults": ["get ingress gateway-ingress", "nodePort", "port-forward service/counter"],
            "tls": ["https://counter.example.com/", "port-forward"],
            "load-balancer": ["get service counter --watch", "service/counter 8000:80"],
            "bare": ["port-forward service/counter 8000:8000"],
        }
        every = {"get ingress", "https://", "nodePort", "--watch"}
        for case, words in ways.items():
            with self.subTest(case):
                notes = self.notes(case)
                for each in words:
                    self.assertIn(each, notes)
                for each in every:
                    self.assertEqual(each in notes, any(each in word for word in words), each)

    def test_a_host_with_a_wildcard_is_shown_as_a_name_with_its_own_scheme(self):
        notes = self.notes("wildcard")
        self.assertIn("https://counter.example.com/\n", notes)
        self.assertIn("http://counter.example.org/, or any other name", notes)
        self.assertIn("https://counter.example.net/, or any other name", notes)
        self.assertNotIn("*", notes)

    def test_they_say_what_becomes_of_the_count(self):
        self.assertIn("delete persistentvolumeclaim data-redisapp-0", self.notes("defaults"))
        notes = self.notes("external-redis")
        self.assertIn("redis.example.com, which is not part of this release", notes)
        self.assertNotIn("persistentvolumeclaim", notes)

    def test_they_say_which_counters_there_may_be_and_who_manages_them(self):
        notes = self.notes("defaults")
        self.assertIn("/hit/NAMESPACE/KEY, in any namespace; 100000 at most", notes)
        self.assertIn("There is no token", notes)
        notes = self.notes("named-counters")
        self.assertIn("/hit/NAMESPACE/KEY, in blog, shop.example_2; 2500000 at most", notes)
        self.assertIn("are in the Secret our-tokens.", notes)
        notes = self.notes("generated-token")
        self.assertIn(
            "get secret visits-tokens --output 'go-template={{index .data \"tokens\" | base64decode}}'\n",
            notes,
        )
        self.assertIn("delete secret visits-tokens", notes)

    def test_they_warn_where_redis_may_be_full_before_there_are_as_many_counters_as_may_be(self):
        words = "Redis may be full"
        with tempfile.TemporaryDirectory(prefix="counter-chart-") as folder:
            for limit, warns in (("96Mi", True), ("auto", False), ("null", False), ("256Mi", False)):
                file = pathlib.Path(folder) / "values.yaml"
                file.write_text(f"redis: {{resources: {{limits: {{memory: {limit}}}}}}}")
                with unittest.mock.patch.dict(CASES, {"limit": file}):
                    self.assertEqual(words in self.notes("limit"), warns, limit)

    def test_the_commands_fit_the_namespace(self):
        commands = re.findall("kubectl.*", self.notes("defaults") + self.notes("generated-token"))
        self.assertGreater(len(commands), 3)
        for each in commands:
            if "get nodes" in each:
                continue  # they are in no namespace
            self.assertIn("--namespace web", each)

    def test_they_warn_where_an_upgrade_may_lose_visits(self):
        self.assertIn("visits may meet a closed port", self.notes("bare"))
        self.assertNotIn("visits may meet a closed port", self.notes("defaults"))


if __name__ == "__main__":
    unittest.main()
