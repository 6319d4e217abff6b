"""A stand-in for a cluster: as much of the Kubernetes API as Helm and kubectl need for the chart.

It keeps, lists and watches objects, and plays the controllers: what is deployed is ready at once,
except an image whose tag is `broken` and a pod whose Secret is not there, which never are. It runs
nothing: the node port of every Service is the one given, where a test may have a counter listen.

It checks little of what it is given, but that much as a real cluster would: who owns a field that is
applied, fields of a StatefulSet that cannot change, the namespace, a quota, and rights. A test sets
the last two, and how late the autoscaler is, by POST /stand-in with the arguments of `Cluster.behave`.

Usage: cluster.py NODE_PORT KUBECONFIG; the file is written once the cluster can be reached.
"""

import base64
import contextlib
import copy
import dataclasses
import http.server
import json
import os
import pathlib
import signal
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import yaml

Object = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of object, and where the API has it."""

    group: str
    plural: str
    name: str
    namespaced: bool = True

    @property
    def path(self) -> str:
        return f"apis/{self.group}" if "/" in self.group else f"api/{self.group}"


KINDS = [
    Kind("v1", "namespaces", "Namespace", namespaced=False),
    Kind("v1", "nodes", "Node", namespaced=False),
    Kind("v1", "pods", "Pod"),
    Kind("v1", "secrets", "Secret"),
    Kind("v1", "configmaps", "ConfigMap"),
    Kind("v1", "services", "Service"),
    Kind("v1", "events", "Event"),
    Kind("v1", "persistentvolumeclaims", "PersistentVolumeClaim"),
    Kind("apps/v1", "deployments", "Deployment"),
    Kind("apps/v1", "replicasets", "ReplicaSet"),
    Kind("apps/v1", "statefulsets", "StatefulSet"),
    Kind("autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"),
    Kind("policy/v1", "poddisruptionbudgets", "PodDisruptionBudget"),
    Kind("networking.k8s.io/v1", "ingresses", "Ingress"),
    Kind("networking.k8s.io/v1", "networkpolicies", "NetworkPolicy"),
    Kind("networking.k8s.io/v1", "ingressclasses", "IngressClass", namespaced=False),
]
NAMED = {kind.name: kind for kind in KINDS}
OWNERS = (NAMED["Deployment"], NAMED["ReplicaSet"], NAMED["StatefulSet"])
VERBS = {"POST": "create", "GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}

# The names of the fields that lead to a field; an element of a list is named by its name.
Path = tuple[str, ...]
# A program that writes objects, and whether it applies them.
Manager = tuple[str, bool]

# Kind, namespace and name.
Key = tuple[Kind, str, str]


class Cluster:
    """The objects, what has happened to them, and how they are reached."""

    def __init__(self, version: str, node_port: int, kubeconfig: pathlib.Path) -> None:
        self.version = version
        self.node_port = node_port
        self.kubeconfig = kubeconfig
        self.objects: dict[Key, Object] = {}
        self.managers: dict[Key, dict[Path, set[Manager]]] = {}
        self.events: list[tuple[Kind, str, Object]] = []
        self.denied: Sequence[str] = ()
        self.quota = False
        self.autoscaler_delay = 0.5
        self.happened = threading.Condition(threading.RLock())
        self.put((NAMED["Namespace"], "", "default"), {})
        self.put((NAMED["Namespace"], "", "web"), {})
        self.put((NAMED["Node"], "", "node-a"), {})

    def behave(
        self, denied: Sequence[str] = (), quota: bool = False, autoscaler_delay: float = 0.5
    ) -> None:
        """Takes rights away, such as "create namespaces" and "get pods/log"; has a quota that asks
        for all resources of a container; has an autoscaler that acts after some seconds."""
        self.denied, self.quota, self.autoscaler_delay = denied, quota, autoscaler_delay

    def object(self, kind: str, name: str) -> Object | None:
        """The object of a kind and a name, in whatever namespace."""
        with self.happened:
            for key, each in self.objects.items():
                if (key[0].name, key[2]) == (kind, name):
                    return each
        return None

    def kinds(self) -> set[str]:
        """The kinds of all that is there besides the namespace and the node of every cluster."""
        with self.happened:
            return {key[0].name for key in self.objects} - {"Namespace", "Node"}

    def put(self, key: Key, new: Object) -> Object:
        """Stores an object in the place of the one before it, if any."""
        kind, namespace, name = key
        with self.happened:
            old = self.objects.get(key)
            new |= {"apiVersion": kind.group, "kind": kind.name}
            new["metadata"] = new.get("metadata", {}) | {
                "name": name,
                "uid": old["metadata"]["uid"] if old else f"uid-{len(self.events)}",
                "generation": old["metadata"]["generation"] + 1 if old else 1,
                "creationTimestamp": "2026-01-02T03:04:05Z",
                "resourceVersion": str(len(self.events) + 1),
            }
            if namespace:
                new["metadata"]["namespace"] = namespace
            if old and "status" in old:
                new.setdefault("status", old["status"])
            self.control(kind, new)
            waits = kind.name == "StatefulSet" and self.waits_for_order(new)
            self.objects[key] = new
            self.tell(kind, "MODIFIED" if old else "ADDED", new)
            if kind in OWNERS and not waits:
                self.replace_owned(new)
            if kind.name == "HorizontalPodAutoscaler" and "status" not in new:
                timer = threading.Timer(self.autoscaler_delay, self.scale, (key,))
                timer.daemon = True
                timer.start()
            return new

    def scale(self, key: Key) -> None:
        """Gives a Deployment the fewest replicas that its autoscaler allows."""
        with self.happened:
            autoscaler = copy.deepcopy(self.objects.get(key))
            deployment = copy.deepcopy(self.objects.get((NAMED["Deployment"], *key[1:])))
            if not autoscaler or not deployment:
                return
            fewest = autoscaler["spec"]["minReplicas"]
            autoscaler["status"] = {"conditions": [{"type": "AbleToScale", "status": "True"}]}
            self.put(key, autoscaler)
            if deployment["spec"]["replicas"] < fewest:
                deployment["spec"]["replicas"] = fewest
                self.put((NAMED["Deployment"], *key[1:]), deployment)

    def works(self, pod: Object, namespace: str) -> bool:
        """Whether a pod gets ready."""
        secrets = (each.get("secret", {}).get("secretName") for each in pod.get("volumes", []))
        return (
            not pod["containers"][0]["image"].endswith(":broken")
            and all((NAMED["Secret"], namespace, each) in self.objects for each in secrets if each)
            and not (self.quota and lacks_resources(pod))
        )

    def write(self, key: Key, new: Object, manager: Manager) -> Object:
        """Stores an object, and keeps who wrote each of its fields."""
        old = dict(leaves(self.objects.get(key, {})))
        of_key = self.managers.setdefault(key, {})
        written = dict(leaves(new))
        for path in of_key.keys() - written.keys():
            del of_key[path]
        for path, value in written.items():
            if path not in old or old[path] != value:
                of_key[path] = {manager}
        return self.put(key, new)

    def conflicts(self, key: Key, body: Object, manager: Manager) -> dict[str, list[str]]:
        """The fields that others own and that an object to be applied has otherwise, by owner."""
        found: dict[str, list[str]] = {}
        old = dict(leaves(self.objects.get(key, {})))
        for path, value in leaves(body):
            others = self.managers.get(key, {}).get(path, set()) - {manager}
            if others and path in old and old[path] != value:
                name = f".{'.'.join(path)}".replace(".[", "[")
                found.setdefault(min(others)[0], []).append(name)
        return found

    def apply(self, key: Key, body: Object, manager: Manager) -> Object:
        """Stores what an object has, and removes what its manager alone had applied before."""
        old = copy.deepcopy(self.objects.get(key, {}))
        wanted = {path for path, _ in leaves(body)}
        for path, managers in list(self.managers.get(key, {}).items()):
            if path not in wanted and managers == {manager}:
                remove_leaf(old, path)
        stored = self.write(key, merged(old, body, True), manager)
        for path in wanted:
            self.managers[key].setdefault(path, set()).add(manager)
        return stored

    def remove(self, key: Key) -> Object:
        with self.happened:
            gone = self.objects.pop(key)
            self.managers.pop(key, None)
            gone["metadata"]["resourceVersion"] = str(len(self.events) + 1)
            self.tell(key[0], "DELETED", gone)
            if key[0] in OWNERS:
                self.remove_owned(gone)
            return gone

    def tell(self, kind: Kind, event: str, subject: Object) -> None:
        self.events.append((kind, event, copy.deepcopy(subject)))
        self.happened.notify_all()

    def replace_owned(self, owner: Object) -> None:
        """A Deployment has a ReplicaSet, which has pods, as a StatefulSet has."""
        self.remove_owned(owner)
        metadata, spec = owner["metadata"], owner["spec"]
        reference = {"uid": metadata["uid"], "controller": True, "name": metadata["name"]}
        reference |= {"apiVersion": owner["apiVersion"], "kind": owner["kind"]}
        name = f"{metadata['name']}-{metadata['generation']}"
        if owner["kind"] == "Deployment":
            owned = {name: {"metadata": {"labels": spec["template"]["metadata"]["labels"]}}}
            owned[name]["spec"] = {each: spec[each] for each in ("replicas", "selector", "template")}
        else:
            owned = {f"{name}-{number}": spec["template"] for number in range(spec["replicas"])}
        kind = NAMED["ReplicaSet" if owner["kind"] == "Deployment" else "Pod"]
        for name, each in copy.deepcopy(owned).items():
            each["metadata"]["ownerReferences"] = [reference]
            self.put((kind, metadata["namespace"], name), each)

    def waits_for_order(self, owner: Object) -> bool:
        """Whether a StatefulSet waits for a pod of its own to get ready before it replaces it."""
        spec, uid = owner["spec"], owner["metadata"]["uid"]
        pods = [
            each for each in self.objects.values()
            if each["metadata"].get("ownerReferences", [{}])[0].get("uid") == uid
        ]
        waits = spec.get("podManagementPolicy", "OrderedReady") == "OrderedReady" and any(
            each["status"]["phase"] != "Running" for each in pods
        )
        if waits:
            for each in ("updated", "ready", "available", "current"):
                owner["status"][f"{each}Replicas"] = 0
            owner["status"]["currentRevision"] = "the one that is broken"
        return waits

    def remove_owned(self, owner: Object) -> None:
        for key, each in list(self.objects.items()):
            owners = each["metadata"].get("ownerReferences", [])
            if owner["metadata"]["uid"] in (one["uid"] for one in owners):
                self.remove(key)

    def control(self, kind: Kind, new: Object) -> None:
        """Gives an object the status and the defaults that its controller would."""
        generation = new["metadata"]["generation"]
        if kind.name == "StatefulSet":
            new["spec"].setdefault("updateStrategy", {"type": "RollingUpdate"})
            new["spec"].setdefault("podManagementPolicy", "OrderedReady")
        if kind in OWNERS:
            replicas = new["spec"].setdefault("replicas", 1)
            namespace = new["metadata"]["namespace"]
            ready = replicas if self.works(new["spec"]["template"]["spec"], namespace) else 0
            new["status"] = {
                "observedGeneration": generation,
                "replicas": replicas,
                **{f"{of}Replicas": ready for of in ("updated", "ready", "available", "current")},
                "currentRevision": "revision",
                "updateRevision": "revision",
                "conditions": [
                    {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
                    {"type": "Available", "status": str(ready > 0)},
                ],
            }
        elif kind.name == "Pod":
            is_hook = "helm.sh/hook" in new["metadata"].get("annotations", {})
            works = self.works(new["spec"], new["metadata"]["namespace"])
            phase = ("Succeeded" if is_hook else "Running") if works else "Pending"
            new["spec"]["nodeName"] = "node-a"
            ready = {"type": "Ready", "status": str(phase == "Running")}
            new["status"] = {"phase": phase, "hostIP": "127.0.0.1", "conditions": [ready]}
        elif kind.name == "Service":
            new["status"] = new.get("status", {"loadBalancer": {}})
            new["spec"].setdefault("clusterIP", "127.0.0.1")
            if new["spec"].get("type") == "NodePort":
                new["spec"]["ports"][0]["nodePort"] = self.node_port
        elif kind.name == "Node":
            external = {"type": "ExternalIP", "address": "127.0.0.1"}
            new["status"] = {"addresses": [{"type": "InternalIP", "address": "::1"}, external]}
        elif kind.name == "PodDisruptionBudget":
            new["status"] = {"observedGeneration": generation}


def lacks_resources(pod: Object) -> list[str]:
    """The resources that a quota asks for and that a pod's containers do not all have."""
    wanted = [f"{of}.{what}" for of in ("limits", "requests") for what in ("cpu", "memory")]

    def has(container: Object, name: str) -> bool:
        of, what = name.split(".")
        return what in container.get("resources", {}).get(of, {})

    return [each for each in wanted if not all(has(one, each) for one in pod["containers"])]


def is_list_of_named(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(o, dict) and key_of(o) for o in value)


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The fields that somebody writes, each with its value."""
    if path[:1] in (("status",), ("apiVersion",), ("kind",)):
        return
    if path[:1] == ("metadata",) and len(path) > 1 and path[1] not in ("labels", "annotations"):
        return
    if isinstance(value, dict) and value:
        for name, each in value.items():
            yield from leaves(each, (*path, name))
    elif is_list_of_named(value) and value:
        for each in value:
            yield from leaves(each, (*path, f'[name="{each["name"]}"]'))
    elif path:
        yield path, value


def key_of(value: Object) -> str | None:
    """What tells a value from others in a list: a mount, where it is, and most others, their names."""
    return value.get("mountPath") or value.get("name")


def remove_leaf(value: Any, path: Path) -> None:
    """Removes a field of an object."""
    name, rest = path[0], path[1:]
    if isinstance(value, list):
        inner = next((each for each in value if f'[name="{each.get("name")}"]' == name), None)
        if inner is not None:
            remove_leaf(inner, rest)
            if not inner:
                value.remove(inner)
    elif not rest:
        value.pop(name, None)
    elif name in value:
        remove_leaf(value[name], rest)


@contextlib.contextmanager
def cluster(
    version: str = "1.37.0", node_port: int = 30080, kubeconfig: pathlib.Path | None = None
) -> Iterator[Cluster]:
    """A cluster of a version, with nothing in it but a namespace and a node."""
    with tempfile.TemporaryDirectory(prefix="counter-cluster-") as folder:
        there = Cluster(version, node_port, kubeconfig or pathlib.Path(folder) / "kubeconfig")
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(there))
        server.daemon_threads = True
        write_kubeconfig(there.kubeconfig, server.server_port)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield there
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def write_kubeconfig(file: pathlib.Path, port: int) -> None:
    configuration = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "stand-in",
        "clusters": [{"name": "stand-in", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "stand-in", "user": {}}],
        "contexts": [{"name": "stand-in", "context": {"cluster": "stand-in", "user": "stand-in"}}],
    }
    # Whoever waits for the file never sees half of it.
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(configuration))
    draft.chmod(0o600)
    os.replace(draft, file)


def discovery(path: str, version: str) -> Object | None:
    """What there is to ask for."""
    if path == "version":
        major, minor = version.split(".")[:2]
        return {"major": major, "minor": minor, "gitVersion": f"v{version}"}
    if path == "api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "apis":
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": list(groups())}
    if path == "openapi/v3":
        paths = {each.path: {"serverRelativeURL": f"/openapi/v3/{each.path}"} for each in KINDS}
        return {"paths": paths}
    schema_of = path.removeprefix("openapi/v3/")
    kinds = [each for each in KINDS if each.path == schema_of]
    if not kinds:
        return None
    if schema_of != path:
        return schema(kinds)
    verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
    resources = [
        {
            "name": each.plural,
            "singularName": each.name.lower(),
            "kind": each.name,
            "namespaced": each.namespaced,
            "verbs": verbs,
        }
        for each in kinds
    ]
    return {"kind": "APIResourceList", "groupVersion": kinds[0].group, "resources": resources}


def groups() -> Iterator[Object]:
    for group in sorted({each.group for each in KINDS if "/" in each.group}):
        name, version = group.split("/")
        only = {"groupVersion": group, "version": version}
        yield {"name": name, "versions": [only], "preferredVersion": only}


def schema(kinds: list[Kind]) -> Object:
    """Says that the server checks the fields of these kinds, so that clients do not."""
    parameters = [{"name": name, "in": "query"} for name in ("fieldValidation", "dryRun")]
    paths = {}
    for each in kinds:
        group, _, version = each.group.rpartition("/")
        kind = {"group": group, "version": version, "kind": each.name}
        patch = {"x-kubernetes-group-version-kind": kind, "parameters": parameters}
        paths[f"/{each.path}/{each.plural}/{{name}}"] = {"patch": patch}
    return {"openapi": "3.0.0", "info": {"title": "stand-in", "version": "1"}, "paths": paths}


def merged(old: Any, patch: Any, by_name: bool) -> Any:
    """RFC 7396. If `by_name`, lists of what has names are merged by them, which is near enough to the
    strategic merge patch and to an object that is applied."""
    if by_name and is_list_of_named(old) and is_list_of_named(patch):
        named = {key_of(each): each for each in old}
        for each in patch:
            if each.get("$patch") == "delete":
                named.pop(key_of(each), None)
            else:
                named[key_of(each)] = merged(named.get(key_of(each)), each, by_name)
        return list(named.values())
    if not isinstance(patch, dict):
        return patch
    result = dict(old) if isinstance(old, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif not name.startswith("$"):
            result[name] = merged(result.get(name), value, by_name)
    return result


def forbidden_change(old: Object, new: Object) -> bool:
    """Whether a field of a StatefulSet changes that cannot."""
    can = {"replicas", "ordinals", "template", "updateStrategy", "minReadySeconds"}
    can |= {"persistentVolumeClaimRetentionPolicy", "revisionHistoryLimit"}
    return any(
        old["spec"].get(each) != new["spec"].get(each)
        for each in (old["spec"].keys() | new["spec"].keys()) - can
    )


def is_selected(subject: Object, query: dict[str, str]) -> bool:
    def terms(selector: str) -> Iterator[list[str]]:
        return (term.split("=") for term in query.get(selector, "").split(",") if term)

    def field(path: str) -> Any:
        value: Any = subject
        for name in path.split("."):
            value = value.get(name, {})
        return value

    labels = subject["metadata"].get("labels", {})
    return all(labels.get(name) == value for name, value in terms("labelSelector")) and all(
        field(path) == value for path, value in terms("fieldSelector")
    )


def protobuf(message: bytes) -> Iterator[tuple[int, bytes]]:
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
        tag, length = number(), number()
        if tag & 7 == 2:
            yield tag >> 3, message[at : at + length]
            at += length


def secret(text: bytes) -> Object:
    """An object as Helm sends its records of releases, which are Secrets, and namespaces."""

    def pairs(entries: list[tuple[int, bytes]], number: int) -> Iterator[tuple[str, bytes]]:
        for entry in (dict(protobuf(each)) for of, each in entries if of == number):
            if 1 in entry:
                yield entry[1].decode(), entry.get(2, b"")

    fields = list(protobuf(dict(protobuf(text.removeprefix(b"k8s\0")))[2]))
    metadata = list(protobuf(dict(fields)[1]))
    labels = {name: value.decode() for name, value in pairs(metadata, 11)}
    data = {name: base64.b64encode(value).decode() for name, value in pairs(fields, 2)}
    return {"metadata": {"name": dict(metadata)[1].decode(), "labels": labels}, "data": data}


def in_words(conflicts: dict[str, list[str]]) -> str:
    """As the API server says it."""
    total = sum(map(len, conflicts.values()))
    if total == 1:
        [(owner, [path])] = conflicts.items()
        return f'Apply failed with 1 conflict: conflict with "{owner}" using v1: {path}'
    of_owners = (
        f'conflicts with "{owner}" using v1:\n' + "\n".join(f"- {path}" for path in paths)
        for owner, paths in sorted(conflicts.items())
    )
    return f"Apply failed with {total} conflicts: " + "\n".join(of_owners)


def handler(there: Cluster) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are two writes

        def log_message(self, *_: object) -> None:
            """Says nothing."""

        def answer(self, status: int, body: Object | str) -> None:
            is_text = isinstance(body, str)
            text = (body if is_text else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain" if is_text else "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def refuse(self, status: int, reason: str, message: str = "") -> None:
            failure = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status}
            message = message or f"{reason}: {self.path}"
            self.answer(status, failure | {"reason": reason, "message": message})

        def handle_any(self) -> None:
            url = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(url.query))
            body = self.read_object()
            path = url.path.strip("/")
            if path == "stand-in":
                there.behave(**body)
                return self.answer(200, {})
            found = discovery(path, there.version)
            if found:
                return self.answer(200, found)
            kind = next((k for k in KINDS if f"{path}/".startswith(f"{k.path}/")), None)
            rest = path.removeprefix(f"{kind.path}/").split("/") if kind else []
            namespace = ""
            if len(rest) > 2 and rest[0] == "namespaces":
                namespace, rest = rest[1], rest[2:]
            kind = next((k for k in KINDS if kind and (k.path, k.plural) == (kind.path, rest[0])), None)
            if not kind:
                return self.refuse(404, "NotFound")
            right = f"{VERBS[self.command]} {'/'.join([kind.plural, *rest[2:]])}"
            if right in there.denied:
                return self.refuse(403, "Forbidden", f"{right} is forbidden")
            if self.command == "GET" and len(rest) == 1:
                return self.list_or_watch(kind, namespace, query)
            if rest[2:] == ["log"]:
                if (kind, namespace, rest[1]) not in there.objects:
                    return self.refuse(404, "NotFound", f'pods "{rest[1]}" not found')
                return self.answer(200, f"{rest[1]} has something to say\n")
            name = rest[1] if len(rest) > 1 else body["metadata"]["name"]
            with there.happened:
                self.handle_one((kind, namespace, name), query, body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        def read_object(self) -> Object:
            text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if not text or self.command == "DELETE":
                return {}
            return secret(text) if text.startswith(b"k8s\0") else yaml.safe_load(text)

        def handle_one(self, key: Key, query: dict[str, str], body: Object) -> None:
            old = there.objects.get(key)
            is_applied = self.headers.get("Content-Type") == "application/apply-patch+yaml"
            if self.command == "POST" and old:
                return self.refuse(409, "AlreadyExists")
            if self.command != "POST" and not old and not is_applied:
                return self.refuse(404, "NotFound")
            if self.command == "GET":
                return self.answer(200, old)
            if self.command == "DELETE":
                return self.answer(200, old if "dryRun" in query else there.remove(key))
            content_type = self.headers.get("Content-Type", "")
            agent = self.headers.get("User-Agent", "").partition("/")[0]
            manager = (query.get("fieldManager") or agent, is_applied)
            if is_applied:
                conflicts = there.conflicts(key, body, manager)
                if conflicts and query.get("force") != "true":
                    return self.refuse(409, "Conflict", in_words(conflicts))
            elif self.command == "PATCH":
                body = merged(copy.deepcopy(old), body, "strategic" in content_type)
            reason = self.reason_against(key, old, body)
            if reason:
                return self.refuse(*reason)
            if "dryRun" in query:
                return self.answer(200, old or body)
            stored = there.apply(key, body, manager) if is_applied else there.write(key, body, manager)
            self.answer(200 if old else 201, stored)

        def reason_against(
            self, key: Key, old: Object | None, new: Object
        ) -> tuple[int, str, str] | None:
            """Why an object is not let in, if so: the status, the reason and the words."""
            kind, namespace, name = key
            if namespace and (NAMED["Namespace"], "", namespace) not in there.objects:
                return 404, "NotFound", f'namespaces "{namespace}" not found'
            if kind.name == "StatefulSet" and old and forbidden_change(old, merged(old, new, True)):
                return 422, "Invalid", f'StatefulSet "{name}" is invalid: spec: Forbidden: updates'
            if kind.name == "Pod" and there.quota and lacks_resources(new["spec"]):
                lacking = ",".join(lacks_resources(new["spec"]))
                return 403, "Forbidden", f"failed quota: all: must specify {lacking}"
            return None

        def list_or_watch(self, kind: Kind, namespace: str, query: dict[str, str]) -> None:
            def is_wanted(subject: Object) -> bool:
                is_there = namespace in ("", subject["metadata"].get("namespace"))
                return is_there and is_selected(subject, query)

            if query.get("watch") in ("true", "1"):
                return self.watch(kind, is_wanted, query)
            with there.happened:
                items = [o for key, o in there.objects.items() if key[0] == kind and is_wanted(o)]
                listing = {"kind": f"{kind.name}List", "apiVersion": kind.group, "items": items}
                listing["metadata"] = {"resourceVersion": str(len(there.events))}
                self.answer(200, listing)

        def watch(
            self, kind: Kind, is_wanted: Callable[[Object], bool], query: dict[str, str]
        ) -> None:
            """Tells what happened since a version, then what happens, until the time is over."""
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            end = time.monotonic() + float(query.get("timeoutSeconds", 60))
            seen = int(query.get("resourceVersion") or 0)
            begins = query.get("sendInitialEvents") == "true"
            with contextlib.suppress(OSError):
                while (rest := end - time.monotonic()) > 0:
                    with there.happened:
                        there.happened.wait_for(lambda: len(there.events) > seen or begins, rest)
                        news = there.events[seen:]
                        seen += len(news)
                    for of, event, subject in news:
                        if of == kind and is_wanted(subject):
                            self.tell(event, subject)
                    if begins:
                        begins = False
                        self.tell("BOOKMARK", self.end_of_beginning(kind, seen))

        def tell(self, event: str, subject: Object) -> None:
            self.wfile.write(json.dumps({"type": event, "object": subject}).encode() + b"\n")
            self.wfile.flush()

        def end_of_beginning(self, kind: Kind, version: int) -> Object:
            metadata = {
                "resourceVersion": str(version),
                "annotations": {"k8s.io/initial-events-end": "true"},
            }
            return {"kind": kind.name, "apiVersion": kind.group, "metadata": metadata}

    return Handler


if __name__ == "__main__":
    # Its folder is removed when it is told to end, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with cluster(node_port=int(sys.argv[1]), kubeconfig=pathlib.Path(sys.argv[2])):
        threading.Event().wait()
