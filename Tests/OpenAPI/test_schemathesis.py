"""Requests that schemathesis derives from docs/openapi.yaml, thousands of them, and what the running
program answers.

All checks of schemathesis are on. What they cannot know is in hooks.py and schemathesis.toml.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from running import DOCUMENT, REPOSITORY, Running

FOLDER = REPOSITORY / "Tests/OpenAPI"
SCHEMATHESIS = pathlib.Path(sys.executable).parent / "schemathesis"


class SchemathesisTests(unittest.TestCase):
    # How long a run may take, in seconds. It takes two minutes on two processors of its own.
    limit = 600

    def run_with(self, examples: int, *flags: str) -> None:
        running = Running()
        self.addCleanup(running.end)
        port = running.counter(*flags)
        command = [
            SCHEMATHESIS, "--config-file", FOLDER / "schemathesis.toml", "run", DOCUMENT,
            "--url", f"http://127.0.0.1:{port}", "--checks", "all", "--no-color",
            "--max-examples", str(examples)]  # fmt: skip
        with tempfile.TemporaryDirectory(prefix="counter-schemathesis-") as folder:
            result = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=self.limit,
                env={**os.environ, "PYTHONPATH": str(FOLDER)})  # fmt: skip
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("Tested: 57", result.stdout, result.stdout)
        self.assertEqual(running.status(port, "/ready"), 200)
        log = (running.folder / "log").read_text()
        self.assertNotIn("token-0123456789", log)

    def test_the_program_keeps_to_the_document(self):
        self.run_with(40)

    def test_it_does_so_with_few_namespaces_and_few_counters(self):
        self.run_with(10, "--namespaces", "blog,default", "--max-counters", "5")


if __name__ == "__main__":
    unittest.main()
