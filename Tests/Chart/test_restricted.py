"""Tests of the check for the pod security standard."""

import copy
import unittest

from chart import Object, render
from restricted import violations

# Violations: the words that the check must find, and the change of the pod's specification.
OF_POD = {
    "hostNetwork": {"hostNetwork": True},
    "hostPID": {"hostPID": True},
    "hostIPC": {"hostIPC": True},
    "a volume of kind hostPath": {"volumes": [{"name": "host", "hostPath": {"path": "/"}}]},
}

# The same of its security context; None takes it out.
OF_POD_CONTEXT = {
    "sysctl kernel.msgmax": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]},
    "seccompProfile": {"seccompProfile": {"type": "Unconfined"}},
    "runAsUser 0": {"runAsUser": 0},
    "counter: no seccompProfile": {"seccompProfile": None},
    "counter: runAsNonRoot is not set": {"runAsNonRoot": None},
}

# Of its container.
OF_CONTAINER = {
    "counter: hostPort": {"ports": [{"containerPort": 8000, "hostPort": 80}]},
    "counter: a probe of another host": {"livenessProbe": {"httpGet": {"host": "example.com"}}},
}

# And of its container's security context.
OF_CONTAINER_CONTEXT = {
    "counter: runAsNonRoot false": {"runAsNonRoot": False},
    "counter: privileged": {"privileged": True},
    "counter: allowPrivilegeEscalation is not false": {"allowPrivilegeEscalation": None},
    "counter: not all capabilities dropped": {"capabilities": {"drop": ["NET_RAW"]}},
    "counter: capabilities added": {"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}},
    "counter: procMount": {"procMount": "Unmasked"},
    "counter: seLinuxOptions": {"seLinuxOptions": {"type": "spc_t"}},
    "counter: appArmorProfile": {"appArmorProfile": {"type": "Unconfined"}},
    "counter: hostProcess": {"windowsOptions": {"hostProcess": True}},
}


def put(breach: Object, into: Object) -> None:
    """Overwrites some of an object."""
    into.update(breach)
    for name in [name for name, value in breach.items() if value is None]:
        del into[name]


class RestrictedTests(unittest.TestCase):
    def test_every_breach_is_noticed(self):
        good = dict(render().pods())["Deployment"]
        self.assertEqual(violations(good), [])
        for place, breaches in (
            (lambda pod: pod, OF_POD),
            (lambda pod: pod["securityContext"], OF_POD_CONTEXT),
            (lambda pod: pod["containers"][0], OF_CONTAINER),
            (lambda pod: pod["containers"][0]["securityContext"], OF_CONTAINER_CONTEXT),
        ):
            for words, breach in breaches.items():
                with self.subTest(words):
                    pod = copy.deepcopy(good)
                    put(breach, place(pod))
                    self.assertEqual(violations(pod), [words])


if __name__ == "__main__":
    unittest.main()
