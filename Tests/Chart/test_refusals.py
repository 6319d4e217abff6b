"""Invalid values are refused with a message that names them."""

import json
import pathlib
import re
import tempfile
import unittest

import yaml
from chart import CHART, HELM_3, HELM_4, HelmFailed, render

REFUSED = {
    # An unknown key
    "replicas=3": "additional properties 'replicas' not allowed",
    "redis.pasword=x": "at '/redis': additional properties 'pasword' not allowed",
    "ingress.host=x": "at '/ingress': additional properties 'host' not allowed",
    "resources.limit.cpu=1": "at '/resources': additional properties 'limit' not allowed",
    "extraEnv[0].nam=x": "at '/extraEnv/0': missing property 'name'",
    # A wrong type
    "port=http": "at '/port': got string, want integer",
    "replicaCount=two": "at '/replicaCount': got string, want integer",
    "autoscaling=true": "at '/autoscaling': got boolean, want object",
    "timestamp=true": "at '/timestamp': got boolean, want integer or string",
    "ingress.hosts=a.example.com": "at '/ingress/hosts': got string, want array",
    "serviceAnnotations.number=1": "at '/serviceAnnotations/number': got number, want string",
    # A value out of range
    "port=70000": "at '/port': maximum: got 70,000, want 65,535",
    "minReplicas=0": "at '/minReplicas': minimum: got 0, want 1",
    "servicetype=nodeport": "at '/servicetype': value must be one of 'NodePort', 'LoadBalancer'",
    "logLevel=loud": "at '/logLevel': value must be one of '', 'trace', 'debug'",
    "name=Counter": "at '/name': 'Counter' does not match pattern",
    "image=": "at '/image': '' does not match pattern",
    "redis.storage=lots": "at '/redis/storage': 'lots' does not match pattern",
    "redis.host=redis://a": "at '/redis/host': 'redis://a' does not match pattern",
    "maxConnections=0": "at '/maxConnections': minimum: got 0, want 1",
    "maxStreams=-1": "at '/maxStreams': minimum: got -1, want 0",
    "maxStreams=many": "at '/maxStreams': got string, want null or integer",
    "maxConnections=many": "at '/maxConnections': got string, want null or integer",
    "redis.url=https://a": "at '/redis/url': 'https://a' does not match pattern",
    "redis.url=redis://u:password@a": "at '/redis/url': 'redis://u:password@a' does not match",
    "runAsUser=0": "at '/runAsUser': minimum: got 0, want 1",
    # A required value that was removed
    "name=null": "missing property 'name'",
    # Values that contradict each other
    "redis.host=a.example.com": 'redis.host is "a.example.com", but the chart is to run a Redis',
    "redis.url=redis://a": "the chart is to run one itself: set redis.enabled=false",
    "extraEnv[0].name=REDIS_URL,extraEnv[0].value=redis://a": "set redis.enabled=false",
    "extraArgs={--redis=redis://a}": "set redis.enabled=false",
    "extraEnv[0].name=REDISAPP_SERVICE_HOST,extraEnv[0].value=a": "set redis.host and redis.port",
    "redis.enabled=false,redis.url=redis://a,redis.host=b": "redis.url names the host, too",
    "redis.enabled=false,redis.host=b,extraArgs={--redis=redis://a}": "name one, too",
    "enabled=false": "enabled is false, which only a chart that uses this one can make use of",
    r"podLabels.app\.kubernetes\.io/name=x": "podLabels has app.kubernetes.io/name, which the chart",
    "name=redisapp": 'name and redis.name are both "redisapp"',
    "minReplicas=8": "minReplicas is 8, more than maxReplicas, 7",
    "metricsPort=8000": "metricsPort is 8000, on which the pods answer visits",
    "serviceMonitor.enabled=true,metricsPort=0": "serviceMonitor.enabled needs a metricsPort",
    "resources=null": "autoscaling needs resources.requests.cpu",
    # Counters with names
    "counters.namespaces={two words}": "at '/counters/namespaces/0': 'two words' does not match pattern",
    "counters.namespaces={a/b}": "at '/counters/namespaces/0': 'a/b' does not match pattern",
    "counters.namespaces={blog,..}": "at '/counters/namespaces/1': 'not' failed",
    "counters.namespaces={.}": "at '/counters/namespaces/0': 'not' failed",
    "counters.namespaces={a,b,a}": "at '/counters/namespaces': items at 0 and 2 are equal",
    f"counters.namespaces={{{'a' * 65}}}": f"'{'a' * 65}' does not match pattern",
    "counters.namespaces=blog": "at '/counters/namespaces': got string, want array",
    "counters.max=-1": "at '/counters/max': minimum: got -1, want 0",
    "counters.max=1000000001": "at '/counters/max': maximum: got 1.000000001",
    "counters.max=1.5": "at '/counters/max': got string, want integer",
    "counters.max=null": "at '/counters': missing property 'max'",
    "counters.origins=blog": "at '/counters/origins': got string, want object",
    "counters.origins.blog=https://a.example": "at '/counters/origins/blog': got string, want array",
    "counters.origins.blog={}": "at '/counters/origins/blog/0': '' does not match pattern",
    "counters.origins.a/b={https://a.example}": "invalid propertyName 'a/b'",
    "counters.origins.blog={https://a.example/}": "'https://a.example/' does not match pattern",
    "counters.origins.blog={ftp://a.example}": "'ftp://a.example' does not match pattern",
    "counters.origins.blog={a.example}": "'a.example' does not match pattern",
    "counters.origins.blog={https://a b}": "'https://a b' does not match pattern",
    "counters.origins.blog={https://a.example},counters.namespaces={shop}": "has blog, which counters.namespaces",
    "counters.token=x": "at '/counters': additional properties 'token' not allowed",
    "counters.tokens.existingSecret=Ours": "at '/counters/tokens/existingSecret': 'Ours' does not match",
    "counters.tokens.existingSecretKey=a b": "at '/counters/tokens/existingSecretKey': 'a b' does not",
    "counters.tokens.generate=yes": "at '/counters/tokens/generate': got string, want boolean",
    "counters.tokens.generate=true,counters.tokens.existingSecret=ours": "choose one of them",
    "extraEnv[0].name=NAMESPACES,extraEnv[0].value=a": "a flag of the chart beats: set counters.namespaces",
    "extraEnv[0].name=MAX_COUNTERS,extraEnv[0].value=many": "a flag of the chart beats: set counters.max",
    "extraEnv[0].name=TOKENS_FILE,extraEnv[0].value=a": "a flag of the chart beats: set counters.tokens",
    "extraEnv[0].name=ORIGINS,extraEnv[0].value=a": "a flag of the chart beats: set counters.origins",
    "extraArgs={--origins=a=https://a}": "extraArgs has a flag that the chart sets: set counters.origins",
    "extraEnv[0].name=MAX_STREAMS,extraEnv[0].value=many": "a flag of the chart beats: set maxStreams",
    "extraArgs={--max-streams=5}": "extraArgs has a flag that the chart sets: set maxStreams",
    "extraArgs={--max-counters=5}": "extraArgs has a flag that the chart sets: set counters.max",
    "extraArgs={--namespaces,a}": "extraArgs has a flag that the chart sets: set counters.namespaces",
    "extraArgs={--tokens=/a}": "extraArgs has a flag that the chart sets: set counters.tokens",
    "ingress.paths[0]=/": "at '/ingress/paths/0': got string, want object",
    "ingress.paths[0].path=/": "at '/ingress/paths/0': missing property 'pathType'",
    "ingress.paths[0].path=hit,ingress.paths[0].pathType=Exact": "'hit' does not match pattern",
    "ingress.paths[0].path=/,ingress.paths[0].pathType=Regex": "value must be one of 'Exact', 'Prefix'",
}

# Memory limits of Redis that no maxmemory can be derived from.
NOT_QUANTITIES = (
    *("lots", "256MB", "256mi", "256 Mi", "Mi", "-256Mi", "1,5Gi", "1.2.3Gi", "0x1000", "1e"),
    *("1e1000", "1e99", "1Gi256Mi", "NaN", "."),
)
TOO_SMALL = ("19Mi", "20971519", "1", "500m", "1e-9", "0Mi")


class RefusalTests(unittest.TestCase):
    def test_values_that_cannot_be_meant_are_named(self):
        for program in (HELM_3, HELM_4):
            for sets, words in REFUSED.items():
                with self.subTest(sets, helm=program.name):
                    with self.assertRaisesRegex(HelmFailed, re.escape(words)):
                        render(sets=(sets,), program=program)

    def test_a_memory_limit_of_redis_that_is_no_quantity_is_named(self):
        for limits, words in (
            (NOT_QUANTITIES, "is not an amount of memory such as 256Mi"),
            (TOO_SMALL, "is too little: Redis needs at least 20Mi"),
        ):
            for limit in limits:
                with self.subTest(limit):
                    text = f'redis.resources.limits.memory is "{limit}", which {words}'
                    value = limit.replace(",", "\\,")
                    with self.assertRaisesRegex(HelmFailed, re.escape(text)):
                        render(sets=(f"redis.resources.limits.memory={value}",))

    def test_an_ingress_without_paths_is_refused(self):
        with tempfile.TemporaryDirectory(prefix="counter-chart-") as folder:
            file = pathlib.Path(folder) / "values.yaml"
            file.write_text("ingress: {paths: []}")
            with self.assertRaisesRegex(HelmFailed, "at '/ingress/paths': minItems: got 0, want 1"):
                render(file)

    def test_a_kubernetes_that_is_too_old_is_refused(self):
        with self.assertRaisesRegex(HelmFailed, "requires kubeVersion: >=1.29.0-0"):
            render(version="1.28.15")
        render(version="1.29.0-gke.1")

    def test_a_chart_that_uses_this_one_may_have_globals(self):
        render(sets=("global.anything=1",))


class SchemaTests(unittest.TestCase):
    schema = json.loads((CHART / "values.schema.json").read_text())

    def test_no_object_of_ours_takes_an_unknown_key(self):
        def check(schema, path):
            if "properties" in schema:
                self.assertIs(schema.get("additionalProperties"), False, path)
            for name, each in (schema.get("properties") or {}).items():
                check(each, f"{path}/{name}")

        check(self.schema, "")
        for name, each in self.schema["definitions"].items():
            check(each, name)

    def test_it_knows_every_default_and_nothing_else(self):
        """A key that the schema has and values.yaml does not would be undocumented."""
        def compare(schema, values, path):
            names = schema["properties"].keys() - {"global"}
            self.assertEqual(names, values.keys(), path)
            for name in names:
                if "properties" in schema["properties"][name]:
                    compare(schema["properties"][name], values[name], f"{path}/{name}")

        compare(self.schema, yaml.safe_load((CHART / "values.yaml").read_text()), "")


if __name__ == "__main__":
    unittest.main()
