"""The chart's Redis with replicas: its pods, run here by their own scripts with real redis-servers and
sentinels. A pod gets another address of this machine whenever it starts, and its name leads there
(libnss-wrapper)."""

import itertools
import os
import pathlib
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

from certificates import Authority
from chart import Object, render

LIMIT = 90  # seconds that anything may take here, on a busy machine
WRAPPER = "libnss_wrapper.so"
NUMBERS = itertools.count()


def new_address() -> str:
    """An address of this machine that nobody else has."""
    number = next(NUMBERS)
    return f"127.{os.getpid() % 200 + 20}.{number // 250}.{number % 250 + 1}"


def wait_for(what: str, condition: Callable[[], Any], limit: float = LIMIT) -> Any:
    """Waits until a condition has a value that is true, and returns it."""
    end = time.monotonic() + limit
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"it lasts longer than {limit} s: {what}")
        time.sleep(0.1)
    return value


class Names:
    """The addresses of names, as a name server would give them."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.file = folder / "hosts"
        self.addresses: dict[str, str] = {}
        self.version = 1_000_000_000
        self.write()

    def set(self, name: str, address: str) -> None:
        """Gives a name an address."""
        self.addresses[name] = address
        self.write()

    def write(self) -> None:
        draft = self.file.with_suffix(".draft")
        draft.write_text("".join(f"{a} {n}\n" for n, a in self.addresses.items()))
        # The file is read again when its time is another one, in whole seconds.
        self.version += 1
        os.utime(draft, (self.version, self.version))
        draft.rename(self.file)

    def environment(self) -> dict[str, str]:
        """The environment of a program that is to know the names."""
        return {
            "PATH": os.environ["PATH"], "LD_PRELOAD": WRAPPER, "NSS_WRAPPER_HOSTS": str(self.file)
        }


class Pod:
    """A pod: a volume that outlives it, and what dies with it."""

    def __init__(self, name: str, folder: pathlib.Path, names: Names, password: pathlib.Path) -> None:
        self.name, self.folder, self.names, self.password = name, folder, names, password
        self.address = ""
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.volume = folder / "data"
        self.volume.mkdir(parents=True)
        names.set(name, new_address())
        self.template: Object = {}
        self.pods = 0

    def start(self, objects: Any) -> None:
        """Starts the pod of a rendered chart, at a new address."""
        self.address = new_address()
        self.template = objects.the("StatefulSet")["spec"]["template"]["spec"]
        self.texts = objects.the("ConfigMap")["data"]
        self.pods = objects.the("StatefulSet")["spec"]["replicas"]
        for each in ("users", "configuration"):
            shutil.rmtree(self.folder / each, ignore_errors=True)
            (self.folder / each).mkdir()
        for name, text in self.texts.items():
            (self.folder / "configuration" / name).write_text(self.here(text))
        self.names.set(self.name, self.address)
        for each in self.template["containers"]:
            self.start_container(each["name"])

    def here(self, text: str) -> str:
        """A text of the pod with the paths and the address of this machine."""
        [redis, *_] = self.template["containers"]
        for mount in redis["volumeMounts"]:
            shared = {"password": self.password, "tls": self.password.parent / "tls"}
            at = shared.get(mount["name"], self.folder / mount["name"])
            text = text.replace(mount["mountPath"] + "/", f"{at}/").replace(
                f"={mount['mountPath']}\n", f"={at}\n"
            )
        text = text.replace("dir /data", f"dir {self.volume}").replace("127.0.0.1", self.address)
        text = text.replace("port 6379\n", f"port 6379\nbind {self.address}\nset-proc-title no\n")
        return text.replace('  echo "dir', f'  echo "bind {self.address}"\n  echo "dir')

    def start_container(self, name: str) -> None:
        """Starts a container of the pod."""
        [container] = [each for each in self.template["containers"] if each["name"] == name]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                list(map(self.here, container["command"])), stdout=log, stderr=log,
                env=self.names.environment() | {"POD": self.name}, start_new_session=True,
            )

    def is_content(self, probe: str) -> bool:
        """Whether a probe of Redis's container is content."""
        words = list(map(self.here, self.template["containers"][0][probe]["exec"]["command"]))
        return self.run(*words).returncode == 0

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs a command in the pod."""
        return subprocess.run(
            words, env=self.names.environment() | {"POD": self.name}, capture_output=True,
            text=True, timeout=LIMIT,
        )

    def script(self, name: str) -> subprocess.CompletedProcess[str]:
        """Runs a script of the pod's."""
        return self.run("sh", str(self.folder / "configuration" / name))

    def ask(self, *words: str, port: int = 6379) -> str:
        """The answer of the pod's Redis, or of its sentinel, or "" without one."""
        password = self.password.joinpath("password").read_bytes().decode().rstrip("\r\n")
        tls = ["--tls", "--cacert", "tls/ca.crt", "--cert", "tls/tls.crt", "--key", "tls/tls.key"]
        ended = subprocess.run(
            ["timeout", "5", "redis-cli", "-h", self.address, "-p", str(port)]
            + (tls if "tls" in self.texts else []) + list(words), cwd=self.password.parent,
            env=self.names.environment() | {"REDISCLI_AUTH": password}, capture_output=True, text=True,
        )
        return ended.stdout.strip()

    def info(self) -> dict[str, str]:
        """What Redis says about its replication."""
        lines = self.ask("info", "replication").splitlines()
        return dict(line.partition(":")[::2] for line in map(str.strip, lines) if ":" in line)

    def known_primary(self) -> str:
        """The primary that the pod's sentinel names."""
        return self.ask("sentinel", "get-master-addr-by-name", "counter", port=26379).split("\n")[0]

    def votes(self) -> bool:
        """Whether the pod's sentinel takes part in elections."""
        words = self.ask("sentinel", "master", "counter", port=26379).split("\n")
        quorum = dict(zip(words[::2], words[1::2])).get("quorum", "9")
        return int(quorum) <= self.pods

    def log(self, name: str = "redis") -> str:
        """What a container has said."""
        return (self.folder / f"{name}.log").read_text()

    def kill(self, how: signal.Signals = signal.SIGKILL, name: str | None = None) -> None:
        """Ends the pod, or a container of it."""
        ended = [name] if name else list(self.processes)
        for each in ended:
            process = self.processes.pop(each)
            if how == signal.SIGKILL:
                os.killpg(process.pid, how)
            else:
                process.send_signal(how)
            process.wait(LIMIT)
            # Nothing of a container outlives its first process.
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if not name:
            # Nobody is there. A name without an address would be looked for in the network.
            self.names.set(self.name, new_address())

    def lose_volume(self) -> None:
        """Replaces the volume of a pod that does not run by an empty one."""
        shutil.rmtree(self.volume)
        self.volume.mkdir()


class RedisSet:
    """The pods of Redis of a release."""

    def __init__(
        self, folder: pathlib.Path, sets: tuple[str, ...] = (), secret: bytes = b"secret", replicas: int = 2
    ) -> None:
        self.names = Names(folder)
        password = folder / "password"
        password.mkdir()
        (password / "password").write_bytes(secret)
        self.folder = folder
        self.authority = Authority(folder / "authority")
        self.count = replicas + 1
        self.renew()
        self.objects = render(sets=(f"redis.replicas={replicas}", *sets))
        self.pods = [
            Pod(f"redisapp-{n}", folder / f"redisapp-{n}", self.names, password)
            for n in range(self.count)
        ]

    def renew(self) -> None:
        """Issues a certificate for the pods."""
        self.authority.issue(
            self.folder / "tls", "redisapp", *(f"redisapp-{number}" for number in range(self.count))
        )

    def start(self, *numbers: int) -> None:
        """Starts the pods of these numbers, or all."""
        for number in numbers or range(self.count):
            self.pods[number].start(self.objects)

    def write_password(self, password: bytes) -> None:
        """Changes the Secret. A pod that runs reads it when its readiness probe runs next."""
        draft = self.folder / "password" / "draft"
        draft.write_bytes(password)
        draft.rename(self.folder / "password" / "password")

    def change_password(self, password: bytes) -> None:
        """Changes the Secret, and waits until all pods accept the new password."""
        self.write_password(password)
        self.read_password(*self.pods)
        for pod in self.pods:
            wait_for("its sentinel accepts it", lambda: pod.ask("ping", port=26379) == "PONG")

    def read_password(self, *pods: Pod) -> None:
        """Runs the readiness probes of pods until they accept the password in the Secret."""
        for pod in pods:
            wait_for(
                f"{pod.name} accepts it",
                lambda: pod.is_content("readinessProbe") and pod.ask("ping") == "PONG",
            )

    def kill(self) -> None:
        """Leaves nothing running."""
        for pod in self.pods:
            pod.kill()

    def primary(self) -> Pod:
        """Waits until there is one primary, of which all other pods that run are replicas in sync."""
        return wait_for("the replicas are not in sync", self.find_primary)

    def find_primary(self) -> Pod | None:
        running = {pod: pod.info() for pod in self.pods if pod.processes}
        primaries = [pod for pod, info in running.items() if info.get("role") == "master"]
        if len(primaries) != 1:
            return None
        [primary] = primaries
        others = [info for pod, info in running.items() if pod is not primary]
        in_sync = all(
            info.get("master_host") == primary.name and info.get("master_link_status") == "up"
            for info in others
        )
        return primary if in_sync else None

    def settle(self) -> Pod:
        """The primary, when all pods are in sync, and the sentinels of those that run know it and take part
        in elections."""
        primary = self.primary()
        for pod in self.pods:
            if pod.processes:
                wait_for(f"the sentinel of {pod.name} votes", pod.votes)
                wait_for(f"it knows {primary.name}", lambda: pod.known_primary() == primary.name)
        return primary
