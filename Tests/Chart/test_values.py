"""The effect of each value, and promises of the chart with any values."""

import base64
import pathlib
import shutil
import tempfile
import unittest

from chart import CHART, HELM_3, HELM_4, OLDEST, Object, Release, cases, render

CASES = cases()


def arguments(release: Release) -> list[str]:
    """The flags of the counter."""
    return release.container("Deployment")["args"]


def with_flag(release: Release, flag: str) -> list[str]:
    """The values that a flag of the counter is given."""
    return [each.partition("=")[2] for each in arguments(release) if each.startswith(f"{flag}=")]


def environment(release: Release) -> dict[str, Object]:
    """The environment variables of the counter, by name."""
    variables = release.container("Deployment").get("env", [])
    by_name = {each["name"]: each for each in variables}
    assert len(by_name) == len(variables), "a variable is set twice"
    return by_name


class OriginalTests(unittest.TestCase):
    def test_its_values_do_what_they_say(self):
        release = render(CASES["original"])
        self.assertEqual(release.container("Deployment")["image"], "example/counter:1.0.2")
        self.assertEqual(release.the("Deployment")["metadata"]["name"], "pythonapp")
        service = release.the("Service", "pythonapp")["spec"]
        self.assertEqual((service["type"], service["ports"][0]["port"]), ("NodePort", 8000))
        self.assertEqual(release.the("Ingress")["metadata"]["name"], "gateway-ingress")
        autoscaler = release.the("HorizontalPodAutoscaler")["spec"]
        self.assertEqual((autoscaler["minReplicas"], autoscaler["maxReplicas"]), (3, 7))
        target = autoscaler["metrics"][0]["resource"]["target"]
        self.assertEqual(target, {"type": "Utilization", "averageUtilization": 80})

    def test_they_are_the_defaults_but_for_name_and_image(self):
        ours = render(sets=("name=pythonapp", "image=example/counter:1.0.2", "timestamp=1"))
        theirs = render(CASES["original"])
        for kind in ("Deployment", "Ingress", "HorizontalPodAutoscaler", "StatefulSet"):
            self.assertEqual(ours.the(kind), theirs.the(kind))


class ReplicasTests(unittest.TestCase):
    def test_with_autoscaling_the_deployment_leaves_their_number_alone(self):
        self.assertNotIn("replicas", render().the("Deployment")["spec"])
        self.assertEqual(len(render().all("HorizontalPodAutoscaler")), 1)

    def test_without_it_replicaCount_is_their_number(self):
        release = render(CASES["no-autoscaling"])
        self.assertEqual(release.the("Deployment")["spec"]["replicas"], 4)
        self.assertEqual(release.all("HorizontalPodAutoscaler"), [])

    def test_autoscaling_has_a_request_to_measure_against(self):
        self.assertIn("cpu", render().container("Deployment")["resources"]["requests"])

    def test_a_node_with_the_only_replica_can_be_drained(self):
        for release in (render(), render(CASES["bare"])):
            budget = release.the("PodDisruptionBudget")["spec"]
            self.assertEqual(budget["maxUnavailable"], 1)
            self.assertNotIn("minAvailable", budget)


class RollingUpdateTests(unittest.TestCase):
    def test_no_pod_goes_before_another_is_ready(self):
        strategy = render().the("Deployment")["spec"]["strategy"]
        self.assertEqual(strategy["type"], "RollingUpdate")
        self.assertEqual(strategy["rollingUpdate"]["maxUnavailable"], 0)

    def test_probes_ask_what_they_are_for(self):
        container = render().container("Deployment")
        asked = {name: container[name]["httpGet"]["path"] for name in container if "Probe" in name}
        self.assertEqual(
            asked,
            {"startupProbe": "/health", "livenessProbe": "/health", "readinessProbe": "/ready"},
        )
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        for name in asked:
            self.assertIn(container[name]["httpGet"]["port"], ports)
        self.assertEqual(with_flag(render(), "--port"), [str(ports["http"])])

    def test_a_pod_is_given_the_time_to_stop(self):
        for release in (render(), render(CASES["everything"])):
            pod = release.the("Deployment")["spec"]["template"]["spec"]
            sleep = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
            [drain] = with_flag(release, "--drain-timeout")
            self.assertGreater(sleep, 0)
            self.assertGreater(pod["terminationGracePeriodSeconds"], sleep + int(drain))

    def test_only_a_kubernetes_that_knows_it_is_asked_to_sleep(self):
        for version, sleeps in ((OLDEST, False), ("1.30.0", True), ("v1.30.4-gke.100", True)):
            container = render(version=version).container("Deployment")
            self.assertEqual("lifecycle" in container, sleeps, version)
            delay = with_flag(render(version=version), "--drain-delay")
            self.assertEqual(delay, [] if sleeps else ["10"], version)
        self.assertNotIn("lifecycle", render(CASES["bare"]).container("Deployment"))

    def test_another_timestamp_makes_other_pods(self):
        def pods(*sets: str) -> Object:
            return render(sets=sets).the("Deployment")["spec"]["template"]

        self.assertNotEqual(pods("timestamp=1"), pods("timestamp=2"))
        annotations = render(CASES["everything"]).the("Deployment")["spec"]["template"]["metadata"][
            "annotations"
        ]
        self.assertEqual(annotations["counter/timestamp"], "1700000000")
        self.assertEqual(annotations["prometheus.io/scrape"], "true")

    def test_new_pods_spread_over_nodes(self):
        [constraint] = render().the("Deployment")["spec"]["template"]["spec"][
            "topologySpreadConstraints"
        ]
        self.assertEqual(constraint["topologyKey"], "kubernetes.io/hostname")
        self.assertEqual(constraint["matchLabelKeys"], ["pod-template-hash"])


class RobustnessTests(unittest.TestCase):
    """What nobody sees until a node is drained, a disk is slow or a memory is full."""

    def test_a_pod_that_serves_nobody_does_not_keep_a_node_from_being_drained(self):
        budget = render().the("PodDisruptionBudget")["spec"]
        self.assertEqual(budget["unhealthyPodEvictionPolicy"], "AlwaysAllow")

    def test_a_new_pod_must_stay_ready_before_an_old_one_goes(self):
        self.assertEqual(render().the("Deployment")["spec"]["minReadySeconds"], 5)

    def test_counters_stay_in_the_service_while_redis_restarts(self):
        for kind, probe, least in (
            ("Deployment", "readinessProbe", 15),
            ("Deployment", "livenessProbe", 30),
            ("Deployment", "startupProbe", 60),
            ("StatefulSet", "livenessProbe", 60),
            # It may read a long log.
            ("StatefulSet", "startupProbe", 600),
        ):
            of = render().container(kind)[probe]
            self.assertGreaterEqual(of["periodSeconds"] * of["failureThreshold"], least, probe)

    def test_redis_forgets_no_counter_for_want_of_memory(self):
        text = render().the("ConfigMap")["data"]["redis.conf"]
        for line in ("maxmemory-policy noeviction", "appendonly yes", "appendfsync always"):
            self.assertIn(f"{line}\n", text + "\n")

    def test_volumes_belong_to_the_users_of_the_pods(self):
        for name, pod in render().pods():
            context = pod["securityContext"]
            user = 999 if name == "StatefulSet" else 65532
            for each in ("runAsUser", "runAsGroup", "fsGroup"):
                self.assertEqual(context[each], user, name)

    def test_another_port_of_redis_is_that_of_its_service_alone(self):
        release = render(sets=("redis.port=7000",))
        [port] = release.the("Service", "redisapp")["spec"]["ports"]
        self.assertEqual((port["port"], port["targetPort"]), (7000, "redis"))
        [of_pod] = release.container("StatefulSet")["ports"]
        self.assertEqual(of_pod, {"name": "redis", "containerPort": 6379})
        self.assertEqual(with_flag(release, "--redis"), ["redis://redisapp:7000"])
        self.assertTrue(release.reaches("Deployment", "StatefulSet", 6379))


class UpgradeTests(unittest.TestCase):
    """The changes of an upgrade. Kubernetes refuses to change some fields."""

    upgrade = ("image=counter:2", "timestamp=2", "cpu=50", "port=80", "accessLog=true")

    def newer_chart(self) -> pathlib.Path:
        """A copy of the chart with the next version."""
        folder = tempfile.TemporaryDirectory(prefix="counter-chart-")
        self.addCleanup(folder.cleanup)
        chart = pathlib.Path(folder.name) / "counter"
        shutil.copytree(CHART, chart)
        about = chart / "Chart.yaml"
        text = about.read_text()
        self.assertIn("version: 1.0.0\n", text)
        about.write_text(text.replace("version: 1.0.0\n", "version: 1.1.0\n"))
        return chart

    def test_selectors_stay(self):
        before, after = render(), render(sets=self.upgrade, chart=self.newer_chart())
        for kind in ("Deployment", "StatefulSet"):
            self.assertEqual(
                before.the(kind)["spec"]["selector"], after.the(kind)["spec"]["selector"]
            )
            self.assertNotEqual(
                before.the(kind)["metadata"]["labels"], after.the(kind)["metadata"]["labels"]
            )

    def test_redis_is_left_running(self):
        before = render()
        for after in (
            render(sets=self.upgrade, chart=self.newer_chart()),
            render(sets=(*self.upgrade, "name=other", "ingressname=other")),
        ):
            self.assertEqual(before.the("StatefulSet")["spec"], after.the("StatefulSet")["spec"])


class RedisTests(unittest.TestCase):
    def test_the_counter_is_told_one_place_by_name(self):
        told = {
            "defaults": "redis://redisapp:6379",
            "redis-of-old": "redis://redisapp:6379",
            "existing-secret": "redis://redisapp:6379",
            "renamed": "redis://redis-two:6379",
            "everything": "redis://counts:6380",
            "external-redis": "redis://redis.example.com:6390",
            "external-redis-ipv6": "redis://[fd00::17]:6379",
            "external-redis-url": "redis://visits:@managed.example.com:25061/3",
        }
        for case, url in told.items():
            self.assertEqual(with_flag(render(CASES[case]), "--redis"), [url])
        self.assertEqual(render().the("Service", "redisapp")["spec"]["ports"][0]["port"], 6379)

    def test_a_place_in_the_environment_or_the_flags_is_the_only_one(self):
        for case in ("external-redis-secret-url", "external-redis-env"):
            self.assertEqual(with_flag(render(CASES[case]), "--redis"), [])
        off = "redis.enabled=false"
        release = render(sets=(off, "extraArgs={--redis=redis://r.example:7000}"))
        self.assertEqual(with_flag(release, "--redis"), ["redis://r.example:7000"])
        self.assertTrue(release.reaches("Deployment", "outside", 7000))
        release = render(sets=(off, "extraArgs={--redis,redis://r.example:7000}"))
        self.assertEqual(arguments(release)[-2:], ["--redis", "redis://r.example:7000"])

    def test_the_network_lets_the_counter_to_the_place_that_was_told(self):
        for case, port in (
            ("external-redis", 6390),
            ("external-redis-ipv6", 6379),
            ("external-redis-url", 25061),
            ("external-redis-env", 25061),
        ):
            release = render(CASES[case])
            self.assertTrue(release.reaches("Deployment", "outside", port), case)
            self.assertFalse(release.reaches("Deployment", "outside", port + 1), case)
        # Only the Secret knows.
        self.assertTrue(render(CASES["external-redis-secret-url"]).reaches("Deployment", "outside", 1))
        for url, port in {
            "redis://a.example": 6379,
            "redis://[fd00::17]": 6379,
            "redis://[fd00::17]:7000": 7000,
            "redis://u:@a.example:7000": 7000,
        }.items():
            release = render(sets=("redis.enabled=false", f"redis.url={url}"))
            self.assertTrue(release.reaches("Deployment", "outside", port), url)
        release = render(sets=("redis.enabled=false", "redis.url=unix:/run/redis.sock"))
        self.assertFalse(release.reaches("Deployment", "outside", 6379))

    def test_a_password_in_the_url_changes_nothing_for_the_network(self):
        off = "redis.enabled=false"
        for credentials in ("se,cret@", "us,er:s/e,c?r#e@t@"):
            for place, ports in {
                "redis://{}a.example:7000/3": {7000},
                "REDIS://{}a.example": {6379},
                "redis://{}a.example:7000,b.example": {1, 7000},
                "redis-sentinel://{}a.example:7000#main": {1, 7000},
                "Redis-Sentinel://{}a.example:7000#main": {1, 7000},
            }.items():
                url = place.format(credentials).replace(",", r"\,")
                for sets in (
                    (off, f"extraArgs[0]=--redis={url}"),
                    (off, "extraEnv[0].name=REDIS_URL", f"extraEnv[0].value={url}"),
                ):
                    with self.subTest(sets):
                        release = render(sets=sets)
                        open_ports = {
                            port for port in (1, 6379, 7000)
                            if release.reaches("Deployment", "outside", port)
                        }
                        self.assertEqual(open_ports, ports | ({6379} if 1 in ports else set()))

    def test_another_redis_brings_none_of_its_own(self):
        for case in ("external-redis", "external-redis-ipv6", "redis-of-old"):
            release = render(CASES[case])
            for kind in ("StatefulSet", "Secret", "ConfigMap"):
                self.assertEqual(release.all(kind), [], case)

    def test_both_read_the_password_from_one_file(self):
        expected = {
            "defaults": ("redisapp-password", "password"),
            "existing-secret": ("our-secret", "redis"),
            "external-redis": ("their-secret", "redis-password"),
        }
        for case, (name, key) in expected.items():
            release = render(CASES[case])
            for owner in release.all("Deployment") + release.all("StatefulSet"):
                pod = owner["spec"]["template"]["spec"]
                [volume] = [each for each in pod["volumes"] if each["name"] == "password"]
                self.assertEqual(volume["secret"]["secretName"], name)
                self.assertEqual(volume["secret"]["items"], [{"key": key, "path": "password"}])
                self.assertEqual(volume["secret"]["defaultMode"], 0o440)
                mounts = pod["containers"][0]["volumeMounts"]
                [mount] = [each for each in mounts if each["name"] == "password"]
                self.assertEqual(mount["mountPath"], "/run/secrets/redis")
            self.assertEqual(
                with_flag(release, "--redis-password-file"), ["/run/secrets/redis/password"]
            )

    def test_the_password_is_nowhere_but_in_the_secret(self):
        release = render()
        [password] = release.the("Secret")["data"].values()
        self.assertEqual(str(release.objects).count(password), 1)
        for _, pod in release.pods():
            for variable in pod["containers"][0].get("env", []):
                self.assertNotIn("PASSWORD", variable["name"])

    def test_without_a_secret_another_redis_is_asked_without_a_password(self):
        for case in ("external-redis-ipv6", "redis-of-old"):
            release = render(CASES[case])
            self.assertEqual(with_flag(release, "--redis-password-file"), [])
            self.assertNotIn("volumes", release.the("Deployment")["spec"]["template"]["spec"])

    def test_its_volume_outlives_the_release(self):
        claims = render(CASES["everything"]).the("StatefulSet")["spec"]
        self.assertEqual(
            claims["persistentVolumeClaimRetentionPolicy"],
            {"whenDeleted": "Retain", "whenScaled": "Retain"},
        )
        [claim] = claims["volumeClaimTemplates"]
        self.assertEqual(claim["spec"]["resources"]["requests"]["storage"], "512Mi")
        self.assertEqual(claim["spec"]["storageClassName"], "fast")

    def test_a_volume_that_was_made_by_hand_can_be_claimed(self):
        def storage(*sets: str) -> Object:
            [claim] = render(sets=sets).the("StatefulSet")["spec"]["volumeClaimTemplates"]
            return claim["spec"]

        self.assertEqual(storage("redis.storageClass=-")["storageClassName"], "")
        self.assertNotIn("storageClassName", storage())

    def test_another_configuration_makes_another_pod(self):
        def pod(*sets: str) -> Object:
            return render(sets=sets).the("StatefulSet")["spec"]["template"]["metadata"]

        self.assertEqual(pod(), pod("accessLog=true"))
        self.assertNotEqual(pod(), pod("redis.resources.limits.memory=512Mi"))

    def test_a_roll_back_does_not_wait_for_a_pod_that_is_broken(self):
        self.assertEqual(render().the("StatefulSet")["spec"]["podManagementPolicy"], "Parallel")


# Memory limits as Kubernetes takes them, and the maxmemory of Redis in bytes that each leads to:
# three quarters of the limit, and at least 16 MiB less.
MAXMEMORY = {
    "256Mi": 192 << 20,
    "0.5Gi": 384 << 20,
    "1.5Gi": 1152 << 20,
    ".25Gi": 192 << 20,
    "4.Gi": 3 << 30,
    "262144Ki": 192 << 20,
    "2Ti": 3 << 39,
    "100M": 75_000_000,
    "0.1G": 75_000_000,
    "100000k": 75_000_000,
    "1T": 750_000_000_000,
    "268435456": 192 << 20,
    "100000001": 75_000_000,  # a fraction of a byte is rounded down
    "134217728000m": 96 << 20,
    "1e8": 75_000_000,
    "1.5E+9": 1_125_000_000,
    "1000000000e-1": 75_000_000,
    "63Mi": 47 << 20,
    "40Mi": 24 << 20,
    "20Mi": 4 << 20,
}


def redis_limit(limit: str) -> tuple[str, ...]:
    """Sets the memory limit of Redis, as a text."""
    return (f"redis.resources.limits.memory={limit}",)


def maxmemory(release: Release) -> list[str]:
    """The values of maxmemory in the configuration of Redis."""
    lines = release.the("ConfigMap")["data"]["redis.conf"].splitlines()
    return [line.split()[1] for line in lines if line.split()[0] == "maxmemory"]


class MemoryTests(unittest.TestCase):
    def test_the_counter_is_told_its_memory_limit_in_mebibytes(self):
        source = {"containerName": "counter", "resource": "limits.memory", "divisor": "1Mi"}
        for release in (render(), render(CASES["everything"]), render(sets=("name=visits",))):
            self.assertEqual(
                environment(release)["MEMORY_LIMIT"],
                {"name": "MEMORY_LIMIT", "valueFrom": {"resourceFieldRef": source}},
            )

    def test_without_a_memory_limit_the_counter_is_told_none(self):
        """Kubernetes would name the memory of the node."""
        for sets in (("resources.limits.memory=null",), ("resources.limits=null",)):
            for program in (HELM_3, HELM_4):
                with self.subTest(sets, helm=program.name):
                    container = render(sets=sets, program=program).container("Deployment")
                    self.assertNotIn("memory", container["resources"].get("limits", {}))
                    self.assertNotIn("env", container)
        self.assertNotIn("env", render(CASES["bare"]).container("Deployment"))

    def test_a_number_of_connections_is_passed_on_and_none_by_default(self):
        self.assertNotIn("MAX_CONNECTIONS", environment(render()))
        for value, text in (("500", "500"), ("1048576", "1048576"), ("5000000", "5000000")):
            variable = environment(render(sets=(f"maxConnections={value}",)))["MAX_CONNECTIONS"]
            self.assertEqual(variable["value"], text)
        self.assertEqual(
            environment(render(CASES["everything"]))["MAX_CONNECTIONS"]["value"], "2000000"
        )
        without_limit = render(sets=("maxConnections=500", "resources.limits.memory=null"))
        self.assertEqual(list(environment(without_limit)), ["MAX_CONNECTIONS"])

    def test_extraEnv_replaces_a_variable_of_the_chart(self):
        release = render(
            sets=(
                *("maxConnections=500", "extraEnv[0].name=MEMORY_LIMIT", "extraEnv[0].value=none"),
                *("extraEnv[1].name=MAX_CONNECTIONS", "extraEnv[1].valueFrom.anything=1"),
            )
        )
        self.assertEqual(environment(release)["MEMORY_LIMIT"]["value"], "none")
        self.assertNotIn("value", environment(release)["MAX_CONNECTIONS"])

    def test_redis_refuses_writes_before_it_reaches_its_memory_limit(self):
        for limit, bytes in MAXMEMORY.items():
            with self.subTest(limit):
                self.assertEqual(maxmemory(render(sets=redis_limit(limit))), [str(bytes)])
        self.assertEqual(maxmemory(render()), [str(192 << 20)])

    def test_a_limit_may_be_a_number_or_a_text(self):
        """Helm reads a number of a values file as a float, and a number of --set as an integer."""
        with tempfile.TemporaryDirectory(prefix="counter-chart-") as folder:
            for text in ("268435456", "2.68435456e8", '"268435456"', "268435456.0"):
                for program in (HELM_3, HELM_4):
                    with self.subTest(text, helm=program.name):
                        file = pathlib.Path(folder) / "values.yaml"
                        file.write_text(f"redis: {{resources: {{limits: {{memory: {text}}}}}}}\n")
                        release = render.__wrapped__(file, program=program)
                        self.assertEqual(maxmemory(release), [str(192 << 20)])

    def test_without_a_memory_limit_redis_has_no_maxmemory(self):
        for sets in (
            ("redis.resources.limits.memory=null",),
            ("redis.resources.limits=null",),
            ("redis.resources=null",),
        ):
            for program in (HELM_3, HELM_4):
                with self.subTest(sets, helm=program.name):
                    self.assertEqual(maxmemory(render(sets=sets, program=program)), [])

    def test_redis_never_forgets_a_counter_to_make_room(self):
        for sets in ((), ("redis.resources=null",)):
            configuration = render(sets=sets).the("ConfigMap")["data"]["redis.conf"]
            self.assertIn("maxmemory-policy noeviction\n", configuration)

    def test_the_memory_of_redis_follows_from_the_most_counters(self):
        """There is room for the longest name and one record of an Idempotency-Key for each."""
        for program in (HELM_3, HELM_4):
            for counters, limit, request in (
                *(("0", "256Mi", "64Mi"), ("100000", "256Mi", "64Mi"), ("180000", "256Mi", "64Mi")),
                *(("1000000", "1324Mi", "331Mi"), ("1000000000", "1302105Mi", "325526Mi")),
            ):
                with self.subTest(counters, helm=program.name):
                    release = render(sets=(f"counters.max={counters}",), program=program)
                    resources = release.container("StatefulSet")["resources"]
                    self.assertEqual(resources["limits"], {"cpu": "1", "memory": limit})
                    self.assertEqual(resources["requests"], {"cpu": "100m", "memory": request})
                    [most] = map(int, maxmemory(release))
                    self.assertGreaterEqual(most, (16 << 20) + int(counters) * (296 + 688))
                    self.assertLessEqual(most, int(limit.removesuffix("Mi")) << 20)

    def test_more_counters_restart_redis_only_when_they_need_a_higher_limit(self):
        def pod(counters: int) -> Object:
            return render(sets=(f"counters.max={counters}",)).the("StatefulSet")["spec"]["template"]

        self.assertEqual(pod(100_000), pod(180_000))
        self.assertNotEqual(pod(100_000), pod(200_000))

    def test_a_limit_of_redis_that_is_set_does_not_follow(self):
        sets = ("counters.max=1000000", "redis.resources.limits.memory=512Mi")
        release = render(sets=sets)
        resources = release.container("StatefulSet")["resources"]
        self.assertEqual(resources["limits"]["memory"], "512Mi")
        self.assertEqual(resources["requests"]["memory"], "128Mi")
        self.assertEqual(maxmemory(release), [str(384 << 20)])
        release = render(sets=(*sets, "redis.resources.requests.memory=100M"))
        self.assertEqual(
            release.container("StatefulSet")["resources"]["requests"]["memory"], "100M"
        )
        # Without a limit there is still something to request.
        release = render(sets=("counters.max=1000000", "redis.resources.limits.memory=null"))
        self.assertEqual(
            release.container("StatefulSet")["resources"],
            {"limits": {"cpu": "1"}, "requests": {"cpu": "100m", "memory": "331Mi"}},
        )

    def test_another_limit_of_redis_makes_another_pod(self):
        def annotations(*sets: str) -> Object:
            return render(sets=sets).the("StatefulSet")["spec"]["template"]["metadata"]

        self.assertNotEqual(annotations(), annotations(*redis_limit("512Mi")))


class CounterTests(unittest.TestCase):
    """Counters with names."""

    def volumes(self, release: Release) -> dict[str, Object]:
        """What is mounted in the counter: the source of each volume, by the path of its mount."""
        pod = release.the("Deployment")["spec"]["template"]["spec"]
        sources = {each.pop("name"): each for each in map(dict, pod.get("volumes", []))}
        mounts = pod["containers"][0].get("volumeMounts", [])
        self.assertEqual({each["name"] for each in mounts}, sources.keys())
        for each in mounts:
            self.assertIs(each["readOnly"], True)
            # A file that is mounted alone does not follow changes of the Secret.
            self.assertNotIn("subPath", each)
        return {each["mountPath"]: sources[each["name"]] for each in mounts}

    def test_by_default_any_namespace_is_open_and_nobody_has_a_token(self):
        for program in (HELM_3, HELM_4):
            release = render(program=program)
            self.assertEqual(with_flag(release, "--namespaces"), [])
            self.assertEqual(with_flag(release, "--max-counters"), ["100000"])
            self.assertEqual(with_flag(release, "--tokens"), [])
            self.assertEqual(list(self.volumes(release)), ["/run/secrets/redis"])
            self.assertEqual(len(release.all("Secret")), 1)

    def test_names_that_yaml_would_take_for_something_else_stay_what_they_are(self):
        release = render(CASES["awkward-names"])
        self.assertEqual(with_flag(release, "--namespaces"), ["1,true,null,0x1F,-"])
        secret = self.volumes(release)["/run/secrets/counter"]["secret"]
        self.assertEqual((secret["secretName"], secret["items"][0]["key"]), ("2.5", "3"))

    def test_namespaces_and_the_limit_become_flags(self):
        release = render(CASES["named-counters"])
        self.assertEqual(with_flag(release, "--namespaces"), ["blog,shop.example_2"])
        self.assertEqual(with_flag(release, "--max-counters"), ["2500000"])
        self.assertEqual(with_flag(render(sets=("counters.max=0",)), "--max-counters"), ["0"])

    def test_the_origins_of_namespaces_become_a_flag(self):
        self.assertEqual(with_flag(render(), "--origins"), [])
        self.assertEqual(
            with_flag(render(CASES["everything"]), "--origins"),
            [
                "blog=https://blog.example,blog=https://www.blog.example:8443,"
                "shop=https://shop.example"
            ],
        )

    def test_the_tokens_of_a_secret_are_mounted_as_a_file(self):
        release = render(CASES["named-counters"])
        self.assertEqual(with_flag(release, "--tokens"), ["/run/secrets/counter/tokens"])
        self.assertEqual(
            self.volumes(release)["/run/secrets/counter"]["secret"],
            {
                "secretName": "our-tokens", "defaultMode": 0o440,
                "items": [{"key": "of-counter", "path": "tokens"}],
            },
        )
        self.assertEqual(
            [each["metadata"]["name"] for each in release.all("Secret")], ["redisapp-password"]
        )

    def test_a_token_for_all_namespaces_can_be_generated(self):
        for program in (HELM_3, HELM_4):
            release = render(CASES["generated-token"], program=program)
            secret = release.the("Secret", "visits-tokens")
            self.assertRegex(
                base64.b64decode(secret["data"]["tokens"]).decode(), r"^\* [A-Za-z0-9]{40}\n$"
            )
            self.assertEqual(
                secret["metadata"]["annotations"], {"helm.sh/resource-policy": "keep"}
            )
            mounted = self.volumes(release)["/run/secrets/counter"]["secret"]
            self.assertEqual(mounted["secretName"], "visits-tokens")
            # It is mounted without a password, too, and is nowhere else.
            self.assertEqual(list(self.volumes(release)), ["/run/secrets/counter"])
            self.assertEqual(str(release.objects).count(secret["data"]["tokens"]), 1)

    def test_redis_and_the_test_do_not_see_the_tokens(self):
        release = render(sets=("counters.tokens.generate=true",))
        for name, pod in release.pods():
            self.assertEqual("counter-tokens" in str(pod), name == "Deployment", name)


class ReachTests(unittest.TestCase):
    def test_the_service_leads_to_the_pods_with_any_port(self):
        [port] = render(CASES["everything"]).the("Service", "visits")["spec"]["ports"]
        self.assertEqual(
            port, {"name": "http", "port": 80, "targetPort": "http", "nodePort": 30080}
        )
        [port] = render(CASES["load-balancer"]).the("Service", "counter")["spec"]["ports"]
        self.assertEqual(port, {"name": "http", "port": 80, "targetPort": "http"})

    def test_only_what_leads_outside_has_a_traffic_policy(self):
        service = render(CASES["everything"]).the("Service", "visits")
        self.assertEqual(service["spec"]["externalTrafficPolicy"], "Local")
        self.assertEqual(service["metadata"]["annotations"], {"example.com/owner": "team"})
        self.assertNotIn(
            "externalTrafficPolicy", render(CASES["tls"]).the("Service", "counter")["spec"]
        )

    def test_the_ingress_publishes_the_visits_the_counters_and_health_and_no_more(self):
        for case, hosts in {
            "defaults": [None],
            "everything": ["counter.example.com", "*.example.org"],
        }.items():
            rules = render(CASES[case]).the("Ingress")["spec"]["rules"]
            self.assertEqual([rule.get("host") for rule in rules], hosts)
            for rule in rules:
                paths = [(each["path"], each["pathType"]) for each in rule["http"]["paths"]]
                self.assertEqual(
                    paths,
                    [
                        *(("/", "Exact"), ("/health", "Exact")),
                        *(("/hit", "Prefix"), ("/get", "Prefix"), ("/counters", "Prefix")),
                        *(("/stream", "Prefix"), ("/live", "Prefix")),
                    ],
                )

    def test_the_ingress_publishes_the_paths_that_it_is_given(self):
        [rule] = render(CASES["named-counters"]).the("Ingress")["spec"]["rules"]
        self.assertEqual(
            [(each["path"], each["pathType"]) for each in rule["http"]["paths"]],
            [("/", "Exact"), ("/health", "Exact"), ("/hit/blog/", "Prefix"), ("/get", "Prefix")],
        )
        for each in rule["http"]["paths"]:
            self.assertEqual(
                each["backend"]["service"], {"name": "counter", "port": {"name": "http"}}
            )

    def test_the_ingress_is_what_it_is_told_to_be(self):
        ingress = render(CASES["everything"]).the("Ingress")
        self.assertEqual(ingress["spec"]["ingressClassName"], "nginx")
        self.assertEqual(
            ingress["spec"]["tls"],
            [{"secretName": "counter-tls", "hosts": ["counter.example.com"]}],
        )
        self.assertEqual(
            ingress["metadata"]["annotations"], {"example.com/issuer": "letsencrypt"}
        )
        self.assertNotIn("annotations", render().the("Ingress")["metadata"])
        self.assertEqual(render(CASES["bare"]).all("Ingress"), [])

    def test_metrics_are_published_to_the_cluster_alone(self):
        release = render()
        service = release.the("Service", "counter-metrics")["spec"]
        self.assertEqual(service["clusterIP"], "None")
        [port] = release.the("Service", "counter")["spec"]["ports"]
        self.assertEqual(port["targetPort"], "http")

    def test_metrics_can_be_off(self):
        release = render(CASES["bare"])
        self.assertEqual(with_flag(release, "--metrics-port"), ["0"])
        self.assertEqual(len(release.container("Deployment")["ports"]), 1)
        self.assertEqual(len(release.all("Service")), 2)

    def test_the_monitor_finds_the_metrics(self):
        self.assertEqual(render().all("ServiceMonitor"), [])
        release = render(CASES["everything"])
        monitor = release.the("ServiceMonitor")
        wanted = monitor["spec"]["selector"]["matchLabels"]
        [service] = [
            each for each in release.all("Service")
            if wanted.items() <= each["metadata"]["labels"].items()
        ]
        [port] = service["spec"]["ports"]
        [endpoint] = monitor["spec"]["endpoints"]
        self.assertEqual(
            (endpoint["port"], endpoint["path"], endpoint["interval"]),
            (port["name"], "/metrics", "1m30s"),
        )
        self.assertEqual(port["port"], 9100)
        self.assertEqual(monitor["metadata"]["labels"]["release"], "prometheus")

    def test_helm_test_asks_the_service(self):
        release = render(CASES["everything"])
        pod = release.the("Pod")
        self.assertEqual(pod["metadata"]["annotations"]["helm.sh/hook"], "test")
        [container] = pod["spec"]["containers"]
        self.assertEqual(
            container["args"],
            ["check", "http://visits:80", "--counter=smoke-test/deployment"],
        )
        self.assertEqual(container["image"], release.container("Deployment")["image"])


class NetworkPolicyTests(unittest.TestCase):
    """What the policies let through where everything else is denied."""

    def test_redis_is_reached_by_the_counter_alone_and_reaches_nothing(self):
        release = render()
        self.assertTrue(release.reaches("Deployment", "StatefulSet", 6379))
        self.assertFalse(release.reaches("Pod", "StatefulSet", 6379))
        self.assertFalse(release.reaches("outside", "StatefulSet", 6379))
        policy = release.the("NetworkPolicy", "redisapp")["spec"]
        self.assertEqual(sorted(policy["policyTypes"]), ["Egress", "Ingress"])
        self.assertEqual(policy["egress"], [])
        # The Service's port is another one.
        everything = render(CASES["everything"])
        self.assertTrue(everything.reaches("Deployment", "StatefulSet", 6379))

    def test_every_client_reaches_the_counter_and_the_cluster_reaches_its_metrics(self):
        self.assertTrue(render().reaches("outside", "Deployment", 8000))
        self.assertFalse(render().reaches("outside", "Deployment", 9000))
        visits, metrics = render().the("NetworkPolicy", "counter")["spec"]["ingress"]
        self.assertEqual(visits, {"ports": [{"port": 8000}]})
        self.assertEqual(
            metrics, {"ports": [{"port": 9000}], "from": [{"namespaceSelector": {}}]}
        )

    def test_the_counter_and_the_test_reach_names_on_every_port_that_clusters_use(self):
        for kind in ("Deployment", "Pod"):
            for port in (53, 5353):
                for protocol in ("UDP", "TCP"):
                    self.assertTrue(render().reaches(kind, "outside", port, protocol), kind)
            self.assertFalse(render().reaches(kind, "outside", 443), kind)

    def test_the_test_reaches_the_counter_and_nothing_else(self):
        for case in ("defaults", "everything", "renamed", "external-redis"):
            release = render(CASES[case])
            self.assertTrue(release.reaches("Pod", "Deployment", 8000), case)
            self.assertFalse(release.reaches("Pod", "Deployment", 9000), case)
            self.assertFalse(release.reaches("Pod", "outside", 8000), case)

    def test_it_can_be_off(self):
        self.assertEqual(render(CASES["bare"]).all("NetworkPolicy"), [])


class PodTests(unittest.TestCase):
    def test_each_takes_resources_labels_and_annotations(self):
        release = render(CASES["everything"])
        for kind, value in (("Deployment", "counter"), ("StatefulSet", "redis"), ("Pod", "test")):
            owner = release.the(kind)
            pod = owner if kind == "Pod" else owner["spec"]["template"]
            self.assertEqual(pod["metadata"]["labels"]["example.com/pod"], value)
            self.assertEqual(pod["metadata"]["annotations"]["example.com/pod"], value)
        [test] = release.the("Pod")["spec"]["containers"]
        self.assertEqual(test["resources"]["limits"]["ephemeral-storage"], "1Mi")
        # They do not become labels that select pods, which could never change.
        self.assertNotIn("example.com/pod", str(release.the("Deployment")["spec"]["selector"]))

    def test_the_cluster_may_choose_users_and_groups(self):
        sets = ("runAsUser=null", "redis.runAsUser=null")
        for program in (HELM_3, HELM_4):
            for name, pod in render(sets=sets, program=program).pods():
                context = pod["securityContext"]
                self.assertEqual(
                    context.keys() & {"runAsUser", "runAsGroup", "fsGroup"}, set(), name
                )
                self.assertIs(context["runAsNonRoot"], True)
        for name, pod in render(sets=("runAsUser=1000660000", "redis.runAsUser=1000660000")).pods():
            self.assertEqual(pod["securityContext"]["fsGroup"], 1000660000, name)

    def test_the_pod_of_a_test_that_succeeded_does_not_stay(self):
        policy = render().the("Pod")["metadata"]["annotations"]["helm.sh/hook-delete-policy"]
        self.assertEqual(policy, "before-hook-creation,hook-succeeded")


class SubchartTests(unittest.TestCase):
    """A chart that uses this one on a condition."""

    def parent(self) -> pathlib.Path:
        folder = tempfile.TemporaryDirectory(prefix="counter-parent-")
        self.addCleanup(folder.cleanup)
        parent = pathlib.Path(folder.name)
        shutil.copytree(CHART, parent / "charts/counter")
        (parent / "Chart.yaml").write_text(
            "{apiVersion: v2, name: parent, version: 1.0.0, dependencies: "
            "[{name: counter, version: 1.0.0, condition: counter.enabled}]}"
        )
        (parent / "values.yaml").write_text("counter: {enabled: true, replicaCount: 2}")
        return parent

    def test_it_is_there_or_not_as_the_condition_says(self):
        parent = self.parent()
        for program in (HELM_3, HELM_4):
            release = render(chart=parent, program=program)
            self.assertEqual(release.the("Deployment")["metadata"]["name"], "counter")
            off = render(sets=("counter.enabled=false",), chart=parent, program=program)
            self.assertEqual(off.objects, ())


class ProgramTests(unittest.TestCase):
    def test_every_setting_becomes_its_flag(self):
        flags = arguments(render(CASES["everything"]))
        for flag in (
            *("--host=::", "--port=8000", "--metrics-port=9100", "--visit-timeout=2.5"),
            *("--drain-timeout=30", "--threads=2", "--log-format=json", "--log-level=debug"),
            *("--access-log", "--trusted-proxies=10.0.0.0/8,fd00::/8", "--data=/tmp"),
            *("--namespaces=blog,shop", "--max-counters=1000000"),
            *("--tokens=/run/secrets/counter/tokens", "--max-streams=2500"),
        ):
            self.assertIn(flag, flags)

    def test_what_is_not_set_is_left_to_the_program(self):
        flags = {each.partition("=")[0] for each in arguments(render())}
        unset = {"--threads", "--log-format", "--log-level", "--access-log", "--trusted-proxies"}
        self.assertEqual(flags & (unset | {"--max-streams"}), set())
        self.assertEqual(with_flag(render(sets=("maxStreams=0",)), "--max-streams"), ["0"])

    def test_environment_resources_and_place_are_passed_on(self):
        release = render(CASES["everything"])
        pod = release.the("Deployment")["spec"]["template"]["spec"]
        [container] = pod["containers"]
        self.assertEqual(environment(release)["TZ"], {"name": "TZ", "value": "UTC"})
        self.assertEqual(container["imagePullPolicy"], "Always")
        self.assertEqual(pod["imagePullSecrets"], [{"name": "registry"}, {"name": "mirror"}])
        self.assertEqual(pod["nodeSelector"], {"kubernetes.io/os": "linux"})
        self.assertEqual(pod["tolerations"][0]["key"], "web")
        self.assertIn("podAntiAffinity", pod["affinity"])
        redis = release.the("StatefulSet")["spec"]["template"]["spec"]
        self.assertEqual(redis["nodeSelector"], {"disk": "ssd"})
        self.assertIn("nodeAffinity", redis["affinity"])
        self.assertIn("limits", container["resources"])
        self.assertEqual(with_flag(release, "--idle-timeout"), ["620"])
        self.assertNotIn("resources", render(CASES["bare"]).container("Deployment"))


if __name__ == "__main__":
    unittest.main()
