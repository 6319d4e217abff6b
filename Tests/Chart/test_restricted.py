"""That the check for the pod security standard notices what it is for."""

import copy
import unittest

from chart import render
from restricted import violations

BREACHES = {
    "hostNetwork": lambda pod, _: pod.update(hostNetwork=True),
    "hostPID": lambda pod, _: pod.update(hostPID=True),
    "hostIPC": lambda pod, _: pod.update(hostIPC=True),
    "a volume of kind hostPath": lambda pod, _: pod["volumes"].append(
        {"name": "host", "hostPath": {"path": "/"}}
    ),
    "sysctl kernel.msgmax": lambda pod, _: pod["securityContext"].update(
        sysctls=[{"name": "kernel.msgmax", "value": "1"}]
    ),
    "seccompProfile": lambda pod, _: pod["securityContext"].update(
        seccompProfile={"type": "Unconfined"}
    ),
    "runAsUser 0": lambda pod, _: pod["securityContext"].update(runAsUser=0),
    "counter: no seccompProfile": lambda pod, _: pod["securityContext"].pop("seccompProfile"),
    "counter: runAsNonRoot is not set": lambda pod, _: pod["securityContext"].pop("runAsNonRoot"),
    "counter: runAsNonRoot false": lambda _, container: container["securityContext"].update(
        runAsNonRoot=False
    ),
    "counter: privileged": lambda _, container: container["securityContext"].update(privileged=True),
    "counter: allowPrivilegeEscalation is not false": lambda _, container: container[
        "securityContext"
    ].pop("allowPrivilegeEscalation"),
    "counter: not all capabilities dropped": lambda _, container: container["securityContext"].update(
        capabilities={"drop": ["NET_RAW"]}
    ),
    "counter: capabilities added": lambda _, container: container["securityContext"][
        "capabilities"
    ].update(add=["SYS_ADMIN"]),
    "counter: procMount": lambda _, container: container["securityContext"].update(
        procMount="Unmasked"
    ),
    "counter: seLinuxOptions": lambda _, container: container["securityContext"].update(
        seLinuxOptions={"type": "spc_t"}
    ),
    "counter: appArmorProfile": lambda _, container: container["securityContext"].update(
        appArmorProfile={"type": "Unconfined"}
    ),
    "counter: hostProcess": lambda _, container: container["securityContext"].update(
        windowsOptions={"hostProcess": True}
    ),
    "counter: hostPort": lambda _, container: container["ports"][0].update(hostPort=80),
    "counter: a probe of another host": lambda _, container: container["livenessProbe"][
        "httpGet"
    ].update(host="example.com"),
}


class RestrictedTests(unittest.TestCase):
    def test_every_breach_is_noticed(self):
        good = dict(render().pods())["Deployment"]
        self.assertEqual(violations(good), [])
        for words, breach in BREACHES.items():
            with self.subTest(words):
                pod = copy.deepcopy(good)
                breach(pod, pod["containers"][0])
                self.assertIn(words, violations(pod))


if __name__ == "__main__":
    unittest.main()
