"""Renders the chart with a real Helm."""

import dataclasses
import functools
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from typing import Any

import yaml

HERE = pathlib.Path(__file__).parent
CHART = HERE.parent.parent / "helm/counter"
HELM_4, HELM_3 = (pathlib.Path(sys.executable).parent / name for name in ("helm", "helm3"))
OLDEST, NEWEST = "1.29.0", "1.37.0"

Object = dict[str, Any]


class HelmFailed(Exception):
    """Helm failed with this output."""


def cases() -> dict[str, pathlib.Path]:
    """The values files that everything is checked with."""
    return {path.stem: path for path in sorted((HERE / "values").glob("*.yaml"))}


def helm(
    program: pathlib.Path,
    *arguments: str | pathlib.Path,
    kubeconfig: pathlib.Path = pathlib.Path("/nonexistent"),
) -> str:
    """Runs Helm without the user's configuration and cluster."""
    with tempfile.TemporaryDirectory(prefix="counter-chart-home-") as home:
        environment = {"HOME": home, "KUBECONFIG": str(kubeconfig)}
        ended = subprocess.run(
            [program, *arguments], env=environment, capture_output=True, text=True, timeout=120
        )
    if ended.returncode != 0:
        raise HelmFailed(ended.stdout + ended.stderr)
    return ended.stdout


@dataclasses.dataclass(frozen=True)
class Release:
    """The objects of a rendered chart."""

    objects: tuple[Object, ...]

    def all(self, kind: str) -> list[Object]:
        """The objects of a kind."""
        return [each for each in self.objects if each["kind"] == kind]

    def the(self, kind: str, name: str | None = None) -> Object:
        """The only object of a kind, or the only one of a name."""
        found = [
            each for each in self.all(kind) if name is None or each["metadata"]["name"] == name
        ]
        if len(found) != 1:
            raise AssertionError(f"{len(found)} objects of kind {kind} and name {name}")
        return found[0]

    def container(self, kind: str) -> Object:
        """The only container of the Deployment or of the StatefulSet."""
        [container] = self.the(kind)["spec"]["template"]["spec"]["containers"]
        return container

    def labels(self, kind: str) -> dict[str, str]:
        """The labels of the pods of the Deployment or of the StatefulSet, or of the test's Pod."""
        only = self.the(kind)
        return (only if kind == "Pod" else only["spec"]["template"])["metadata"]["labels"]

    def reaches(self, kind: str, to: str, port: int, protocol: str = "TCP") -> bool:
        """Whether pods of one kind reach those of another, or another address ("outside"), where
        everything is denied that no network policy of the release allows."""

        def applies(policy: Object, of: str) -> bool:
            wanted = policy["spec"]["podSelector"]["matchLabels"]
            return of != "outside" and wanted.items() <= self.labels(of).items()

        def allows(rule: Object, peers: str, other: str) -> bool:
            ports = rule.get("ports", [{"port": port, "protocol": protocol}])
            if (port, protocol) not in ((p["port"], p.get("protocol", "TCP")) for p in ports):
                return False
            wanted = [each["podSelector"]["matchLabels"] for each in rule.get(peers, [])
                      if "podSelector" in each]
            return peers not in rule or other != "outside" and any(
                each.items() <= self.labels(other).items() for each in wanted
            )

        def is_open(direction: str, peers: str, of: str, other: str) -> bool:
            return of == "outside" or any(
                allows(rule, peers, other)
                for policy in self.all("NetworkPolicy") if applies(policy, of)
                for rule in policy["spec"].get(direction, [])
            )

        return is_open("egress", "to", kind, to) and is_open("ingress", "from", to, kind)

    def pods(self) -> list[tuple[str, Object]]:
        """The pods that would be run: a name and the specification of each."""
        pods = [(each["kind"], each["spec"]) for each in self.all("Pod")]
        for each in self.all("Deployment") + self.all("StatefulSet"):
            pods.append((each["kind"], each["spec"]["template"]["spec"]))
        return pods


@functools.cache
def render(
    values: pathlib.Path | None = None,
    sets: tuple[str, ...] = (),
    version: str = NEWEST,
    program: pathlib.Path = HELM_4,
    chart: pathlib.Path = CHART,
) -> Release:
    """The output of `helm template` for the chart. `sets` are written as for --set."""
    arguments: list[str | pathlib.Path] = ["--kube-version", version, "--namespace", "web"]
    if values:
        arguments += ["--values", values]
    for each in sets:
        arguments += ["--set", each]
    text = helm(program, "template", "123", chart, *arguments)
    documents: Iterable[Object | None] = yaml.safe_load_all(text)
    return Release(tuple(each for each in documents if each))
