"""What the values of the chart make of Redis's replicas, of TLS and of a Redis outside the chart."""

import unittest

from chart import CHART, HELM_4, HelmFailed, Object, Release, cases, render
from cluster import cluster
from test_release import Operator, with_each_helm
from test_values import environment, with_flag

CASES = cases()
THREE = render(CASES["redis-replicas"])
FIVE = render(CASES["redis-replicas-tls"])


def flags(release: Release) -> dict[str, str]:
    """The flags of the counter that are about Redis."""
    given = (each.partition("=")[::2] for each in release.container("Deployment")["args"])
    return {flag: value for flag, value in given if "redis" in flag or "replicas" in flag or "sentinel" in flag}


def redis_pod(release: Release) -> Object:
    """The specification of Redis's pods."""
    return release.the("StatefulSet")["spec"]["template"]["spec"]


class ReplicasTests(unittest.TestCase):
    def test_without_them_there_is_one_pod_and_nothing_of_a_sentinel(self):
        release = render()
        self.assertEqual(release.the("StatefulSet")["spec"]["replicas"], 1)
        self.assertEqual(len(redis_pod(release)["containers"]), 1)
        self.assertEqual(
            flags(release),
            {
                "--redis": "redis://redisapp:6379",
                "--redis-password-file": "/run/secrets/redis/password",
            },
        )
        self.assertFalse(release.reaches("StatefulSet", "StatefulSet", 6379))
        self.assertFalse(release.reaches("Deployment", "StatefulSet", 26379))

    def test_the_counter_asks_all_sentinels_and_waits_for_half_of_the_replicas(self):
        self.assertEqual(
            flags(THREE),
            {
                "--redis": "redis-sentinel://redisapp-0:26379,redisapp-1:26379,redisapp-2:26379#counter",
                "--redis-password-file": "/run/secrets/redis/password",
                "--sentinel-password-file": "/run/secrets/redis/password",
                "--min-replicas": "1",
            },
        )
        self.assertEqual(flags(FIVE)["--min-replicas"], "2")
        self.assertIn("counts-4:26379#counter", flags(FIVE)["--redis"])
        for release, pods in ((THREE, 3), (FIVE, 5)):
            self.assertEqual(release.the("StatefulSet")["spec"]["replicas"], pods)
            names = [each["name"] for each in redis_pod(release)["containers"]]
            self.assertEqual(names, ["redis", "sentinel"])

    def test_a_visit_may_wait_for_a_failover_unless_the_values_say_otherwise(self):
        for sets, visit, drain, grace in (
            ((), "5", "10", 25),
            (("redis.replicas=2",), "15", "20", 35),
            (("redis.replicas=2", "visitTimeout=3", "drainTimeout=0"), "3", "0", 15),
        ):
            release = render(sets=sets)
            self.assertEqual(with_flag(release, "--visit-timeout"), [visit])
            self.assertEqual(with_flag(release, "--drain-timeout"), [drain])
            pod = release.the("Deployment")["spec"]["template"]["spec"]
            self.assertEqual(pod["terminationGracePeriodSeconds"], grace)

    def test_each_pod_has_a_name_from_its_start_on_whatever_its_address_is(self):
        for number in range(3):
            service = THREE.the("Service", f"redisapp-{number}")["spec"]
            self.assertEqual(service["clusterIP"], "None")
            self.assertIs(service["publishNotReadyAddresses"], True)
            name = service["selector"]["statefulset.kubernetes.io/pod-name"]
            self.assertEqual(name, f"redisapp-{number}")
            self.assertEqual([each["port"] for each in service["ports"]], [6379, 26379])
        # A release that had one pod keeps it: this field of the StatefulSet cannot change.
        self.assertEqual(
            THREE.the("StatefulSet")["spec"]["serviceName"],
            render().the("StatefulSet")["spec"]["serviceName"],
        )

    def test_they_are_spread_over_nodes_and_drained_one_at_a_time(self):
        [constraint] = redis_pod(THREE)["topologySpreadConstraints"]
        self.assertEqual(constraint["topologyKey"], "kubernetes.io/hostname")
        self.assertEqual(constraint["whenUnsatisfiable"], "ScheduleAnyway")
        labels = THREE.labels("StatefulSet")
        self.assertLessEqual(constraint["labelSelector"]["matchLabels"].items(), labels.items())
        budget = THREE.the("PodDisruptionBudget", "redisapp")["spec"]
        self.assertEqual(budget["maxUnavailable"], 1)
        self.assertLessEqual(budget["selector"]["matchLabels"].items(), labels.items())
        self.assertEqual(len(render().all("PodDisruptionBudget")), 1)

    def test_the_network_lets_counter_and_pods_to_redis_and_its_sentinels_and_nobody_else(self):
        for port in (6379, 26379):
            self.assertTrue(THREE.reaches("Deployment", "StatefulSet", port))
            self.assertTrue(THREE.reaches("StatefulSet", "StatefulSet", port))
            self.assertFalse(THREE.reaches("Pod", "StatefulSet", port))
            self.assertFalse(THREE.reaches("outside", "StatefulSet", port))
            self.assertFalse(THREE.reaches("StatefulSet", "outside", port))
        self.assertTrue(THREE.reaches("StatefulSet", "outside", 53, "UDP"))
        self.assertFalse(render().reaches("StatefulSet", "outside", 53, "UDP"))

    def test_both_containers_have_the_same_image_files_and_rights(self):
        redis, sentinel = redis_pod(THREE)["containers"]
        for each in ("image", "imagePullPolicy", "env", "securityContext", "volumeMounts"):
            self.assertEqual(redis[each], sentinel[each])
        self.assertIn("memory", sentinel["resources"]["limits"])

    def test_a_pod_that_waits_for_the_others_is_not_killed(self):
        redis, sentinel = redis_pod(THREE)["containers"]
        self.assertNotIn("startupProbe", redis)
        self.assertEqual(redis["livenessProbe"]["exec"]["command"], ["sh", "/etc/redis/alive"])
        self.assertEqual(sentinel["livenessProbe"]["tcpSocket"], {"port": "sentinel"})

    def test_a_lost_name_server_holds_a_sentinel_up_for_a_second(self):
        options = {each["name"]: each["value"] for each in redis_pod(THREE)["dnsConfig"]["options"]}
        self.assertEqual(options["timeout"], "1")

    @with_each_helm
    def test_a_release_gets_them_and_does_not_lose_them_by_mistake(self, operator):
        operator.install()
        operator.upgrade("redis.replicas=2")
        redis = operator.there.object("StatefulSet", "redisapp")
        self.assertEqual(redis["spec"]["replicas"], 3)
        for wrong in ("redis.replicas=0", "image=counter:2"):
            with self.assertRaisesRegex(HelmFailed, "redis.replicas is 0, but Redis has 2: the newest count"):
                operator.upgrade(wrong)
        operator.upgrade("redis.replicas=4", "image=counter:3")
        self.assertEqual(operator.there.object("StatefulSet", "redisapp")["spec"]["replicas"], 5)

    def test_the_notes_name_the_claims_of_all_pods(self):
        with cluster("1.36.0") as there:
            notes = Operator(HELM_4, there).install("redis-replicas")
        self.assertIn(
            "delete persistentvolumeclaim data-redisapp-0 data-redisapp-1 data-redisapp-2\n", notes
        )


class TLSTests(unittest.TestCase):
    def volumes(self, release: Release, kind: str) -> dict[str, str]:
        """The Secrets that a pod mounts, by folder."""
        pod = release.the(kind)["spec"]["template"]["spec"]
        secrets = {
            each["name"]: each["secret"]["secretName"] for each in pod["volumes"] if "secret" in each
        }
        mounts = pod["containers"][0]["volumeMounts"]
        return {m["mountPath"]: secrets[m["name"]] for m in mounts if m["name"] in secrets}

    def test_redis_answers_encrypted_only_and_the_counter_checks_its_certificate(self):
        release = render(CASES["redis-tls"])
        self.assertEqual(flags(release)["--redis"], "rediss://redisapp:6379")
        self.assertEqual(flags(release)["--redis-ca"], "/run/secrets/redis-ca/ca.crt")
        self.assertNotIn("--redis-cert", flags(release))
        self.assertEqual(self.volumes(release, "Deployment")["/run/secrets/redis-ca"], "redis-tls")
        self.assertEqual(self.volumes(release, "StatefulSet")["/run/secrets/redis-tls"], "redis-tls")
        lines = release.the("ConfigMap")["data"]["redis.conf"].splitlines()
        for line in ("port 0", "tls-port 6379", "tls-auth-clients no", "tls-replication yes"):
            self.assertIn(line, lines)
        # The key of Redis is none of the counter's business.
        pod = release.the("Deployment")["spec"]["template"]["spec"]
        [authority] = [each for each in pod["volumes"] if each["name"] == "authority"]
        self.assertEqual(authority["secret"]["items"], [{"key": "ca.crt", "path": "ca.crt"}])

    def test_with_a_certificate_of_the_counter_redis_accepts_no_client_without_one(self):
        self.assertTrue(flags(FIVE)["--redis"].startswith("rediss-sentinel://counts-0:26379,"))
        self.assertEqual(flags(FIVE)["--redis-cert"], "/run/secrets/redis-client/tls.crt")
        self.assertEqual(flags(FIVE)["--redis-key"], "/run/secrets/redis-client/tls.key")
        self.assertEqual(self.volumes(FIVE, "Deployment")["/run/secrets/redis-client"], "counter-tls")
        self.assertIn("tls-auth-clients yes", FIVE.the("ConfigMap")["data"]["redis.conf"])

    def test_a_redis_outside_is_reached_with_its_authority_and_our_certificate(self):
        release = render(CASES["external-redis-tls"])
        self.assertEqual(
            flags(release),
            {
                "--redis": "rediss://redis.example.com:6379",
                "--redis-password-file": "/run/secrets/redis/password",
                "--redis-ca": "/run/secrets/redis-ca/ca.crt",
                "--redis-cert": "/run/secrets/redis-client/tls.crt",
                "--redis-key": "/run/secrets/redis-client/tls.key",
            },
        )
        self.assertEqual(self.volumes(release, "Deployment")["/run/secrets/redis-ca"], "their-ca")


class OutsideTests(unittest.TestCase):
    def test_sentinels_outside_are_asked_and_may_name_any_port(self):
        release = render(CASES["external-sentinels"])
        url = "rediss-sentinel://visits:@a.example.com,b.example.com:26380/3#main"
        self.assertEqual(flags(release)["--redis"], url)
        self.assertEqual(flags(release)["--min-replicas"], "1")
        self.assertTrue(release.reaches("Deployment", "outside", 6379))

    def test_a_cluster_outside_may_be_on_any_port(self):
        release = render(sets=("redis.enabled=false", r"redis.url=redis://a:7000\,b:7001"))
        self.assertTrue(release.reaches("Deployment", "outside", 7002))

    def test_a_url_in_a_secret_is_the_only_place(self):
        release = render(CASES["external-redis-url-secret"])
        self.assertEqual(flags(release), {})
        self.assertEqual(
            environment(release)["REDIS_URL"]["valueFrom"],
            {"secretKeyRef": {"name": "managed-redis", "key": "uri"}},
        )
        self.assertTrue(release.reaches("Deployment", "outside", 25061))


REFUSED = {
    "redis.replicas=1": "at '/redis/replicas': value must be one of 0, 2, 4",
    "redis.replicas=2,redis.enabled=false": "redis.replicas is 2, but the chart runs no Redis",
    "redis.replicas=2,extraArgs={--min-replicas=2}": "a flag that the chart sets: set redis.replicas",
    "redis.replicas=2,extraEnv[0].name=MIN_REPLICAS": "a flag of the chart beats: set redis.replicas",
    "redis.tls.enabled=true": "redis.tls.enabled needs redis.tls.existingSecret",
    "redis.tls.existingSecret=a": "redis.tls names a Secret, but redis.tls.enabled is off",
    "redis.tls.clientSecret=a": "redis.tls names a Secret, but redis.tls.enabled is off",
    "redis.tls.certificate=a": "at '/redis/tls': additional properties 'certificate' not allowed",
    "redis.enabled=false,redis.url=rediss://a": "redis.tls.enabled is false, but redis.url says otherwise",
    "redis.enabled=false,redis.url=redis://a,redis.tls.enabled=true": "rediss:// and rediss-sentinel://",
    "redis.enabled=false,redis.url=redis-sentinel://a": "at '/redis/url': 'redis-sentinel://a' does not",
    "redis.urlSecret=a": "redis.urlSecret, extraEnv or extraArgs name a Redis, but the chart is to run one",
    "redis.enabled=false,redis.urlSecret=a,redis.host=b": "redis.url or redis.host names a Redis, but redis.urlS",
    "redis.enabled=false,redis.urlSecret=a,extraEnv[0].name=REDIS_URL,extraEnv[0].value=redis://b":
        "redis.urlSecret and extraEnv both name a Redis",
}


class RefusalTests(unittest.TestCase):
    def test_values_that_make_no_sense_are_refused_with_the_reason(self):
        for values, words in REFUSED.items():
            with self.subTest(values), self.assertRaises(HelmFailed) as caught:
                render(sets=(values,), chart=CHART)
            self.assertIn(words, str(caught.exception))


if __name__ == "__main__":
    unittest.main()
