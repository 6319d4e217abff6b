"""Promises of the chart with any values, with each Helm, on each Kubernetes."""

import copy
import functools
import itertools
import unittest

import kubernetes_validate
from chart import CHART, HELM_3, HELM_4, NEWEST, OLDEST, Object, cases, helm, render
from cluster import lacks_resources
from restricted import violations


def without_secrets(objects: tuple[Object, ...]) -> list[Object]:
    """The objects, but for what may differ between two renderings of the same: passwords and tokens."""
    objects = copy.deepcopy(objects)
    for each in objects:
        if each["kind"] == "Secret":
            each["data"] = list(each["data"])
    return sorted(objects, key=lambda each: (each["kind"], each["metadata"]["name"]))


def in_every_case(test):
    """Runs a test with each values file and for each end of the range of Kubernetes versions."""

    @functools.wraps(test)
    def run(self):
        for (name, values), version in itertools.product(cases().items(), (OLDEST, NEWEST)):
            with self.subTest(case=name, kubernetes=version):
                test(self, values, version)

    return run


class EveryRenderingTests(unittest.TestCase):
    def test_helm_3_and_4_lint_it_strictly(self):
        for program in (HELM_3, HELM_4):
            for name, values in cases().items():
                with self.subTest(case=name, helm=program.name):
                    helm(program, "lint", "--strict", "--values", values, CHART)

    @in_every_case
    def test_the_oldest_and_the_newest_kubernetes_accept_it(self, values, version):
        for each in render(values, version=version).objects:
            if each["apiVersion"].startswith("monitoring.coreos.com/"):
                continue  # not one of Kubernetes' own
            kubernetes_validate.validate(each, version, strict=True)

    @in_every_case
    def test_helm_3_and_4_render_the_same(self, values, version):
        with_4 = render(values, version=version, program=HELM_4)
        with_3 = render(values, version=version, program=HELM_3)
        self.assertEqual(without_secrets(with_4.objects), without_secrets(with_3.objects))

    @in_every_case
    def test_only_new_secrets_change_from_one_rendering_to_the_next(self, values, version):
        first = render(values, version=version)
        again = render.__wrapped__(values, version=version)  # not the remembered one
        self.assertEqual(without_secrets(first.objects), without_secrets(again.objects))

    @in_every_case
    def test_every_pod_is_restricted(self, values, version):
        pods = render(values, version=version).pods()
        self.assertGreaterEqual(len(pods), 2)
        for name, pod in pods:
            self.assertEqual(violations(pod), [], name)

    @in_every_case
    def test_no_pod_can_write_to_its_image_or_has_a_token(self, values, version):
        for name, pod in render(values, version=version).pods():
            self.assertIs(pod["automountServiceAccountToken"], False, name)
            for container in pod["containers"]:
                self.assertIs(container["securityContext"]["readOnlyRootFilesystem"], True, name)

    @in_every_case
    def test_every_container_has_complete_resources(self, values, version):
        if values.stem == "bare":
            return  # takes them away
        for name, pod in render(values, version=version).pods():
            self.assertEqual(lacks_resources(pod), [], name)

    @in_every_case
    def test_no_pod_is_given_the_variables_of_services(self, values, version):
        for name, pod in render(values, version=version).pods():
            self.assertIs(pod["enableServiceLinks"], False, name)

    @in_every_case
    def test_everything_is_labelled(self, values, version):
        for each in render(values, version=version).objects:
            labels = each["metadata"]["labels"]
            self.assertEqual(labels["app.kubernetes.io/instance"], "123")
            self.assertEqual(labels["app.kubernetes.io/managed-by"], "Helm")
            self.assertEqual(labels["helm.sh/chart"], "counter-1.0.0")
            self.assertIn("app.kubernetes.io/name", labels)
            self.assertIn("app.kubernetes.io/component", labels)
            self.assertIn("app.kubernetes.io/version", labels)

    @in_every_case
    def test_every_selector_selects_the_pods_it_means_and_no_others(self, values, version):
        release = render(values, version=version)
        pods = {
            each["kind"]: each["spec"]["template"]["metadata"]["labels"]
            for each in release.all("Deployment") + release.all("StatefulSet")
        }
        pods["Pod"] = release.the("Pod")["metadata"]["labels"]
        for each in release.objects:
            specification = each.get("spec", {})
            selector = specification.get("selector") or specification.get("podSelector")
            if selector is None or each["kind"] == "ServiceMonitor":
                continue
            wanted = dict(selector.get("matchLabels", selector))
            # A label that Kubernetes gives the pods of a StatefulSet.
            wanted.pop("statefulset.kubernetes.io/pod-name", None)
            selected = [kind for kind, labels in pods.items() if wanted.items() <= labels.items()]
            component = each["metadata"]["labels"]["app.kubernetes.io/component"]
            meant = {"redis": "StatefulSet", "test": "Pod"}.get(component, "Deployment")
            self.assertEqual(selected, [meant], each["metadata"]["name"])

    @in_every_case
    def test_no_two_objects_have_one_name(self, values, version):
        names = [
            (each["kind"], each["metadata"]["name"])
            for each in render(values, version=version).objects
        ]
        self.assertEqual(len(names), len(set(names)))


if __name__ == "__main__":
    unittest.main()
