"""The rights that docs/operations.md asks for the user of Redis: the program needs them and no more."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from chart import HERE
from redis_pod import LIMIT, free_port

PROGRAM = os.environ["COUNTER_EXECUTABLE"]
DOCUMENT = HERE.parent.parent / "docs/operations.md"
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
ADMIN = "an-admin-token-of-the-tests"
WITH_TOKEN = {"Authorization": f"Bearer {ADMIN}"}


def documented() -> list[str]:
    """The rights of the rule in the document, without those that follow from the others."""
    [rule] = re.findall(r"^ACL SETUSER counter (.*)$", DOCUMENT.read_text(), re.MULTILINE)
    return [each for each in rule.split() if each[0] in "~&+"]


class Server:
    """A redis-server, and a user `counter` with some rights."""

    def __init__(self, folder: str, rights: list[str]) -> None:
        self.port = free_port()
        words = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", folder]
        self.process = subprocess.Popen([*words, "--save", ""], **QUIET)
        end = time.monotonic() + LIMIT
        while self.ask("ping") != "PONG":
            assert time.monotonic() < end, "redis-server does not answer"
            time.sleep(0.02)
        self.ask("acl", "setuser", "counter", "reset", "on", ">secret", *rights)

    def ask(self, *words: str) -> str:
        ended = subprocess.run(
            ["redis-cli", "-p", str(self.port), *words], capture_output=True, text=True
        )
        return ended.stdout.strip()

    def denials(self) -> set[str]:
        """The commands and keys that the user was denied."""
        entries = re.findall(r"^reason\n(.*)\n.*\n.*\nobject\n(.*)$", self.ask("acl", "log"), re.M)
        return {f"{reason} {what}" for reason, what in entries}

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(LIMIT)


class RightsTests(unittest.TestCase):
    def start(self, rights: list[str], database: int = 0) -> tuple[Server, str]:
        """Starts a Redis, in which writers of long ago left records, and the program."""
        folder = tempfile.TemporaryDirectory(prefix="counter-rights-")
        self.addCleanup(folder.cleanup)
        server = Server(folder.name, rights)
        self.addCleanup(server.end)
        server.ask("set", "{hits}:claim:1", "1 1")
        server.ask("zadd", "{hits}:claims", "0", "{hits}:claim:1", "0", "{hits}:claim:2")
        port = free_port()
        process = subprocess.Popen(
            [
                *(PROGRAM, "--host", "127.0.0.1", "--port", str(port), "--metrics-port", "0"),
                *("--redis", f"redis://counter:secret@127.0.0.1:{server.port}/{database}"),
                *("--threads", "1", "--visit-timeout", "0.7"),
            ],
            env={"ADMIN_TOKEN": ADMIN}, **QUIET,
        )
        self.addCleanup(process.wait, LIMIT)
        self.addCleanup(process.terminate)
        url = f"http://127.0.0.1:{port}"
        end = time.monotonic() + LIMIT
        while self.send(f"{url}/health")[0] != 200:
            self.assertLess(time.monotonic(), end, "the program does not answer")
            time.sleep(0.02)
        return server, url

    def send(
        self, url: str, method: str = "GET", headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        """The status and the body of a response; 0 without a connection."""
        request = urllib.request.Request(url, method=method, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=LIMIT) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def visit_every_way(self, url: str) -> dict[str, int]:
        """Sends a request of every kind. Returns the status of each."""
        again = WITH_TOKEN | {"Idempotency-Key": "k-1"}
        requests = {
            "visit": ("/", "GET", {}),
            "hit": ("/hit/blog/home", "GET", {}),
            "post": ("/hit/blog/home", "POST", {}),
            "by query": ("/hit/blog?key=a%20b", "GET", {}),
            "without a namespace": ("/hit/alone", "GET", {}),
            "read": ("/get/blog/home", "GET", {}),
            "read several": ("/get/blog?key=home&key=a%20b", "GET", {}),
            "script": ("/hit/blog/home?callback=f", "GET", {}),
            "add": ("/hit/blog/home?by=5", "POST", WITH_TOKEN),
            "add once": ("/hit/blog/home", "POST", again),
            "add once again": ("/hit/blog/home", "POST", again),
            "set": ("/counters/blog/set?value=7", "PUT", WITH_TOKEN),
            "create": ("/counters/blog/new?value=7", "PUT", WITH_TOKEN | {"If-None-Match": "*"}),
            "look": ("/counters/blog/set", "GET", {}),
            "remove": ("/counters/blog/set", "DELETE", WITH_TOKEN),
            "list": ("/counters/blog", "GET", WITH_TOKEN),
        }
        return {
            kind: self.send(url + path, method, headers)[0]
            for kind, (path, method, headers) in requests.items()
        }

    def test_with_the_documented_rights_every_request_is_carried_out_and_nothing_denied(self):
        server, url = self.start(documented())
        statuses = self.visit_every_way(url)
        self.assertEqual({k: s for k, s in statuses.items() if s not in (200, 201)}, {})
        _, listed = self.send(f"{url}/counters/blog", headers=WITH_TOKEN)
        self.assertEqual(
            {each["key"]: each["value"] for each in json.loads(listed)["counters"]},
            {"home": 9, "a b": 1, "new": 7},
        )
        self.assertEqual(server.denials(), set())
        # Records of long ago have an expiry, or are forgotten.
        self.assertGreater(int(server.ask("pttl", "{hits}:claim:1")), 0)
        self.assertEqual(server.ask("zscore", "{hits}:claims", "{hits}:claim:2"), "")

    def test_the_rights_name_each_bucket_and_no_other_key(self):
        server, _ = self.start(documented())
        for key in ("hits", "{hits}:claims", "{0}:a/b", "{9}:a/b", "{15}:once:3:a/b:k"):
            self.assertEqual(server.ask("acl", "dryrun", "counter", "mset", key, "1"), "OK", key)
        for key in ("hit", "hits2", "a", "{a1}:b", "{hits}:other", "15:a/b", "{}:a/b"):
            answer = server.ask("acl", "dryrun", "counter", "mset", key, "1")
            self.assertIn("no permissions", answer, key)
        self.assertIn("no permissions", server.ask("acl", "dryrun", "counter", "publish", "a", "b"))

    def test_a_database_is_selected_with_one_more_right(self):
        rights = documented()
        self.assertIn("+select", rights)
        _, url = self.start(rights, database=3)
        self.assertEqual(self.send(f"{url}/hit/blog/home"), (200, '{"value":1}'))
        _, url = self.start([each for each in rights if each != "+select"], database=3)
        self.assertEqual(self.send(f"{url}/hit/blog/home")[0], 503)

    def test_without_a_right_that_is_needed_nothing_is_counted(self):
        for right in ("~hits", "~{hits}:claim:*", "+ping", "+eval", "+evalsha", "+get", "+mset",
                      "+pexpire"):
            with self.subTest(right):
                rights = documented()
                rights.remove(right)
                _, url = self.start(rights)
                self.assertEqual(self.send(f"{url}/")[0], 503)
                self.assertEqual(self.send(f"{url}/health")[0], 200)

    def test_without_the_keys_of_the_buckets_only_the_visits_without_a_name_are_counted(self):
        server, url = self.start([each for each in documented() if not re.match(r"~{1?\?}", each)])
        self.assertEqual(self.send(f"{url}/")[0], 200)
        self.assertEqual(self.send(f"{url}/hit/blog/home")[0], 503)
        self.assertEqual(self.send(f"{url}/")[0], 200)
        self.assertEqual(server.ask("get", "hits"), "2")

    def test_each_other_right_that_is_missing_loses_what_the_document_says(self):
        for right in ("+del", "+exists", "+info", "+mget", "+readwrite", "+scan", "+time", "+zadd", "+zrangebyscore", "+zrem",
                      "+pttl", "~{hits}:claims"):
            with self.subTest(right):
                rights = documented()
                rights.remove(right)
                server, url = self.start(rights)
                statuses = self.visit_every_way(url)
                lost = {kind for kind, status in statuses.items() if status not in (200, 201)}
                self.assertEqual(lost, {"list"} if right == "+scan" else set())
                # A removed counter stays as an empty text, which is as good as none.
                self.assertEqual(
                    server.ask("exists", "{8}:blog/set"), "1" if right == "+del" else "0"
                )
                self.assertEqual(self.send(f"{url}/get/blog/set")[0], 404)
                has_expiry = int(server.ask("pttl", "{hits}:claim:1")) > 0
                is_of_index = right in ("+time", "+zadd", "+zrangebyscore", "+pttl", "~{hits}:claims")
                self.assertEqual(has_expiry, not is_of_index)
                self.assertNotEqual(server.denials(), set())


if __name__ == "__main__":
    unittest.main()
