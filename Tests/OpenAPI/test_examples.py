"""docs/openapi.yaml against the running program: its examples, its paths and its methods."""

import base64
import binascii
import dataclasses
import http.client
import json
import re
import unittest
from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from running import DOCUMENT, LIMIT, REPOSITORY, Running, document

METHODS = ["get", "head", "post", "put", "delete", "patch"]
ADMIN = {"Authorization": "Bearer admin-token-0123456789"}

# Redis answers after the visits' time is over.
PAUSE = "CLIENT PAUSE 2500 ALL"

Object = dict[str, Any]


@dataclasses.dataclass
class Example:
    """A response of the document, and the request that it answers."""

    name: str
    path: str
    method: str
    status: int
    response: Object
    media_type: str | None
    example: Object

    @property
    def request(self) -> tuple[str, str, dict[str, str]]:
        return parse(self.example["x-request"])


def parse(text: str) -> tuple[str, str, dict[str, str]]:
    """The method, the target and the header fields of a request."""
    line, *fields = text.strip().splitlines()
    method, target = line.split(" ")
    return method, target, dict(field.split(": ", 1) for field in fields)


class ExampleTests(unittest.TestCase):
    document = document()

    @classmethod
    def setUpClass(cls) -> None:
        cls.running = Running()
        cls.addClassCleanup(cls.running.end)
        flags = [
            "--namespaces", "blog,shop,default", "--origins", "shop=https://shop.example",
            "--visit-timeout", "1"]  # fmt: skip
        cls.port = cls.running.counter(*flags)
        cls.full = cls.running.counter(*flags, "--max-counters", "0", "--max-streams", "0")

    # MARK: - What the document says

    def resolve(self, value: Object) -> Object:
        if "$ref" not in value:
            return value
        found: Any = self.document
        for name in value["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        return found

    def operations(self) -> Iterator[tuple[str, str, Object]]:
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    yield path, method, item[method]

    def examples(self) -> Iterator[Example]:
        for path, method, operation in self.operations():
            for status, reference in operation["responses"].items():
                response = self.resolve(reference)
                if "x-request" in response:
                    yield Example(
                        f"{method} {path} {status}", path, method, int(status), response, None,
                        response)  # fmt: skip
                for media_type, content in response.get("content", {}).items():
                    for name, example in content.get("examples", {}).items():
                        yield Example(
                            f"{method} {path} {status} {media_type} {name}", path, method,
                            int(status), response, media_type, example)  # fmt: skip

    def matches(self, path: str, target: str) -> bool:
        pattern = "".join(
            "[^/?]+" if part.startswith("{") else re.escape(part)
            for part in re.split(r"(\{\w+\})", path)
        )
        return re.fullmatch(pattern, target.partition("?")[0]) is not None

    # MARK: - What the program does

    def send(
        self, method: str, target: str, fields: dict[str, str] = {}, port: int | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Sends a request, and returns the response with its body, or with the first event of a stream."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=LIMIT)
        try:
            connection.request(method, target, headers=fields)
            response = connection.getresponse()
            if method == "GET" and response.getheader("Content-Type") == "text/event-stream":
                return response, b"".join(iter(response.readline, b"\n")) + b"\n"
            return response, response.read()
        finally:
            connection.close()

    def prepare(self) -> None:
        """The counters that the examples begin with."""
        self.running.redis("FLUSHALL")
        numbers = {"blog/home": 42, "blog/about": 7, "blog/full": 2**63 - 1, "default/visits": 41}
        for name, number in numbers.items():
            response, _ = self.send("PUT", f"/counters/{name}?value={number}", ADMIN)
            self.assertEqual(response.status, 201)
        # The bucket of a counter is the CRC16 of its name modulo 16.
        bucket = binascii.crc_hqx(b"blog/list", 0) % 16
        self.running.redis(f"RPUSH {{{bucket}}}:blog/list x")

    def check(self, example: Example) -> None:
        self.prepare()
        if before := example.example.get("x-before"):
            method, target, fields = parse(before)
            self.assertEqual(self.send(method, target, fields)[0].status, 200)
        given = example.example.get("x-given")
        if given == "Redis does not answer":
            self.running.redis(PAUSE)
        method, target, fields = example.request
        try:
            port = self.full if given == "The limit is reached" else self.port
            response, body = self.send(method, target, fields, port)
        finally:
            if given == "Redis does not answer":
                self.running.redis("CLIENT UNPAUSE")
        self.assertEqual(response.status, example.status)
        for name, field in example.response.get("headers", {}).items():
            field = self.resolve(field)
            value = response.headers.get(name)
            if value is None:
                self.assertFalse(field.get("required"), f"{name} is missing")
            elif field["schema"].get("type") == "integer":
                self.assert_valid(field["schema"], int(value))
            else:
                self.assert_valid(field["schema"], value)
        if example.media_type is None:
            self.assertEqual(body, b"")
            return
        self.assertEqual(response.headers.get_content_type(), example.media_type)
        is_json = example.media_type.endswith("json")
        if is_json:
            value = json.loads(body)
        elif example.media_type == "image/gif":
            value = base64.b64encode(body).decode()
        else:
            value = body.decode()
        self.assertEqual(value, self.expected(example.example))
        schema = example.response["content"][example.media_type]["schema"]
        self.assert_valid(schema, value)

    def expected(self, example: Object) -> Any:
        """What an example says of the body. A script that it names is sent condensed."""
        if "value" in example:
            return example["value"]
        text = (DOCUMENT.parent / example["externalValue"]).read_text()
        if not example["externalValue"].endswith(".js"):
            return text
        code = re.sub("^ *//.*", "", text, flags=re.MULTILINE)
        # Spaces and line ends stay in texts, and one between two words.
        parts = re.split("""("[^"]*"|'[^']*'|`[^`]*`)""", code)
        for index in range(0, len(parts), 2):
            part = re.sub(r"\s+", " ", parts[index])
            parts[index] = re.sub(r"(?<![\w$]) | (?![\w$])", "", part)
        return "".join(parts) + "\n"

    def assert_valid(self, schema: Object, value: Any) -> None:
        whole = {**schema, "components": self.document["components"]}
        jsonschema_rs.validator_for(whole).validate(value)

    # MARK: - Tests

    def test_each_example_is_answered_as_the_document_says(self):
        seen = []
        for example in self.examples():
            if example.example in seen:
                continue
            seen.append(example.example)
            with self.subTest(example.name):
                self.check(example)
        self.assertGreater(len(seen), 60)

    def test_each_operation_has_an_example_of_its_own_success(self):
        for path, method, _ in self.operations():
            with self.subTest(f"{method} {path}"):
                found = [
                    each for each in self.examples()
                    if each.status < 300 and (each.path, each.method) == (path, method)
                ]  # fmt: skip
                self.assertTrue(found)
                if method != "head" and not (method == "post" and path.startswith("/get")):
                    self.assertTrue(
                        all(
                            each.request[0].lower() == method
                            and self.matches(path, each.request[1])
                            for each in found
                        )
                    )

    def test_each_response_has_an_example(self):
        for path, method, operation in self.operations():
            for status, reference in operation["responses"].items():
                has_any = any(
                    (each.path, each.method, each.status) == (path, method, int(status))
                    for each in self.examples()
                )
                with self.subTest(f"{method} {path} {status}"):
                    # What has no example: HEAD and /ready without Redis, and a target of 12,289 bytes.
                    self.assertTrue(has_any or status in ("414", "503"))

    def test_each_example_of_a_parameter_is_valid(self):
        for parameter in self.document["components"]["parameters"].values():
            self.assertTrue(parameter["examples"])
            for example in parameter["examples"].values():
                with self.subTest(parameter["name"]):
                    self.assert_valid(parameter["schema"], example["value"])

    def test_each_reference_is_used_and_leads_somewhere(self):
        used = set(re.findall(r'"\$ref": "#/components/([^"]+)"', json.dumps(self.document)))
        there = {
            f"{kind}/{name}"
            for kind, members in self.document["components"].items() for name in members
        } - {"securitySchemes/bearer"}  # fmt: skip
        self.assertEqual(used, there)

    def test_the_program_serves_these_paths_and_methods_and_no_others(self):
        self.prepare()
        for path, item in self.document["paths"].items():
            target = path.replace("{namespace}", "blog").replace("{key}", "home")
            target += "" if "{key}" in path else "?key=home"
            documented = {method.upper() for method in METHODS if method in item} | {"OPTIONS"}
            response, _ = self.send("OPTIONS", target)
            self.assertEqual(set(response.headers["Allow"].split(", ")), documented, path)
            refused, _ = self.send("PATCH", target)
            self.assertEqual(refused.status, 405, path)
            self.assertEqual(set(refused.headers["Allow"].split(", ")), documented, path)
            for method in documented - {"OPTIONS"}:
                with self.subTest(f"{method} {target}"):
                    self.assertNotIn(self.send(method, target)[0].status, (404, 405))
                    self.prepare()

    def test_the_document_has_each_route_of_the_program(self):
        source = (REPOSITORY / "Sources/CounterApp/Endpoint.swift").read_text()
        routes = re.findall(r'Route\("([^"]+)"', source)
        self.assertGreater(len(routes), 5)
        self.assertEqual(set(routes), set(self.document["paths"]))


if __name__ == "__main__":
    unittest.main()
