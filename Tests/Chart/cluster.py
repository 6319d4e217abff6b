"""A stand-in for a cluster: it keeps the objects it is given, and nothing comes of them.

Enough of the Kubernetes API for Helm to install, look up, upgrade and uninstall. It does not check
what it is given, runs nothing, and takes every patch for a merge patch (RFC 7396).
"""

import base64
import contextlib
import http.server
import json
import pathlib
import tempfile
import threading
import urllib.parse
from collections.abc import Iterator
from typing import Any

import yaml

Object = dict[str, Any]

GROUPS = {
    "v1": {
        "namespaces": "Namespace",
        "pods": "Pod",
        "secrets": "Secret",
        "configmaps": "ConfigMap",
        "services": "Service",
        "persistentvolumeclaims": "PersistentVolumeClaim",
    },
    "apps/v1": {"deployments": "Deployment", "statefulsets": "StatefulSet"},
    "autoscaling/v2": {"horizontalpodautoscalers": "HorizontalPodAutoscaler"},
    "policy/v1": {"poddisruptionbudgets": "PodDisruptionBudget"},
    "networking.k8s.io/v1": {"ingresses": "Ingress", "networkpolicies": "NetworkPolicy"},
}
KINDS = {name: kind for kinds in GROUPS.values() for name, kind in kinds.items()}


class Cluster:
    """The objects, by the path of each, and how to reach them."""

    def __init__(self, version: str, kubeconfig: pathlib.Path) -> None:
        self.version = version
        self.kubeconfig = kubeconfig
        self.objects: dict[str, Object] = {}
        self.lock = threading.Lock()

    def object(self, kind: str, name: str) -> Object | None:
        """The object of a kind and a name, in whatever namespace."""
        with self.lock:
            for each in self.objects.values():
                if each["kind"] == kind and each["metadata"]["name"] == name:
                    return each
        return None

    def kinds(self) -> set[str]:
        """The kinds of all that is there."""
        with self.lock:
            return {each["kind"] for each in self.objects.values()}


@contextlib.contextmanager
def cluster(version: str) -> Iterator[Cluster]:
    """A cluster of a version, without anything in it."""
    with tempfile.TemporaryDirectory(prefix="counter-chart-cluster-") as folder:
        there = Cluster(version, pathlib.Path(folder) / "kubeconfig")
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(there))
        there.kubeconfig.write_text(json.dumps(_kubeconfig(server.server_port)))
        there.kubeconfig.chmod(0o600)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield there
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _kubeconfig(port: int) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "stand-in",
        "clusters": [{"name": "stand-in", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "stand-in", "user": {}}],
        "contexts": [{"name": "stand-in", "context": {"cluster": "stand-in", "user": "stand-in"}}],
    }


def _discovery(path: str, version: str) -> Object | None:
    """What there is to ask for."""
    if path == "/version":
        major, minor = version.split(".")[:2]
        return {"major": major, "minor": minor, "gitVersion": f"v{version}"}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        groups = [each.split("/") for each in GROUPS if "/" in each]
        versions = {name: [{"groupVersion": f"{name}/{v}", "version": v}] for name, v in groups}
        return {
            "kind": "APIGroupList",
            "apiVersion": "v1",
            "groups": [
                {"name": name, "versions": each, "preferredVersion": each[0]}
                for name, each in versions.items()
            ],
        }
    group = path.removeprefix("/apis/").removeprefix("/api/")
    if group not in GROUPS:
        return None
    verbs = ["create", "delete", "get", "list", "patch", "update"]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group,
        "resources": [
            {
                "name": name,
                "singularName": kind.lower(),
                "kind": kind,
                "namespaced": kind != "Namespace",
                "verbs": verbs,
            }
            for name, kind in GROUPS[group].items()
        ],
    }


def _merged(old: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    merged = dict(old) if isinstance(old, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), value)
    return merged


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a protocol buffer that are not numbers: the number and the bytes of each."""

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            at += 1
            value |= (message[at - 1] & 0x7F) << shift
            shift += 7
            if message[at - 1] < 0x80:
                return value

    at = 0
    while at < len(message):
        tag = number()
        length = number()
        if tag & 7 == 2:
            yield tag >> 3, message[at : at + length]
            at += length


def _secret(text: bytes) -> Object:
    """A Secret as Helm sends its records of releases: the rest it sends as JSON."""

    def pairs(entries: list[tuple[int, bytes]], number: int) -> Iterator[tuple[str, bytes]]:
        for entry in (dict(_fields(each)) for of, each in entries if of == number):
            yield entry[1].decode(), entry.get(2, b"")

    envelope = dict(_fields(text.removeprefix(b"k8s\0")))
    secret = list(_fields(envelope[2]))
    metadata = list(_fields(dict(secret)[1]))
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": dict(metadata)[1].decode(),
            "namespace": dict(metadata)[3].decode(),
            "labels": {name: value.decode() for name, value in pairs(metadata, 11)},
        },
        "data": {name: base64.b64encode(value).decode() for name, value in pairs(secret, 2)},
    }


def _handler(there: Cluster) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are two writes

        def log_message(self, *_: object) -> None:
            """Says nothing."""

        def answer(self, status: int, body: Object) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def refuse(self, status: int, reason: str) -> None:
            self.answer(
                status,
                {
                    "kind": "Status",
                    "apiVersion": "v1",
                    "status": "Failure",
                    "reason": reason,
                    "message": f"{reason}: {self.path}",
                    "code": status,
                },
            )

        def handle_any(self) -> None:
            url = urllib.parse.urlsplit(self.path)
            body = self.read_object()
            query = dict(urllib.parse.parse_qsl(url.query))
            with there.lock:
                getattr(self, f"handle_{self.command.lower()}")(url.path, query, body)

        def read_object(self) -> Object:
            text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if not text or self.command == "DELETE":
                return {}
            if self.headers["Content-Type"] == "application/vnd.kubernetes.protobuf":
                return _secret(text)
            return yaml.safe_load(text)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        def handle_get(self, path: str, query: dict[str, str], _: Object) -> None:
            found = _discovery(path, there.version) or there.objects.get(path)
            if not found and (kind := KINDS.get(path.rpartition("/")[2])):
                found = self.listing(kind, path, query.get("labelSelector", ""))
            if found:
                self.answer(200, found)
            else:
                self.refuse(404, "NotFound")

        def listing(self, kind: str, path: str, selector: str) -> Object:
            wanted = dict(each.split("=") for each in selector.split(",") if each)
            items = [
                each
                for where, each in there.objects.items()
                if where.startswith(f"{path}/")
                and wanted.items() <= each["metadata"].get("labels", {}).items()
            ]
            return {"kind": f"{kind}List", "apiVersion": "v1", "metadata": {}, "items": items}

        def handle_post(self, path: str, query: dict[str, str], body: Object) -> None:
            where = f"{path}/{body['metadata']['name']}"
            if where in there.objects:
                self.refuse(409, "AlreadyExists")
            else:
                self.keep(201, where, query, body)

        def handle_put(self, path: str, query: dict[str, str], body: Object) -> None:
            self.keep(200, path, query, body)

        def handle_patch(self, path: str, query: dict[str, str], body: Object) -> None:
            applied = self.headers["Content-Type"] == "application/apply-patch+yaml"
            if path not in there.objects and not applied:
                self.refuse(404, "NotFound")
            else:
                self.keep(200, path, query, _merged(there.objects.get(path), body))

        def keep(self, status: int, where: str, query: dict[str, str], body: Object) -> None:
            body["metadata"].setdefault("uid", where)
            if "dryRun" not in query:
                there.objects[where] = body
            self.answer(status, body)

        def handle_delete(self, path: str, _: dict[str, str], __: Object) -> None:
            if there.objects.pop(path, None):
                self.answer(200, {"kind": "Status", "apiVersion": "v1", "status": "Success"})
            else:
                self.refuse(404, "NotFound")

    return Handler
