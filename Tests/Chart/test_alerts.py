"""Each alert fires when it should and only then, with the labels that each way of scraping gives."""

import dataclasses
import pathlib
import subprocess
import tempfile
import unittest

import yaml

from chart import HERE, render

RULES = HERE.parent.parent / "docs/alerts.yaml"
PROMTOOL = HERE.parent.parent / ".build/promtool"

Labels = dict[str, str]
# Metrics of a counter, each with its labels and its values in the notation of promtool.
Series = dict[str, str]


def monitored(*sets: str) -> Labels:
    """The labels that the Prometheus operator gives to a target of the chart's ServiceMonitor."""
    release = render(sets=("serviceMonitor.enabled=true", *sets))
    monitor = release.the("ServiceMonitor")["spec"]
    wanted = monitor["selector"]["matchLabels"].items()
    [service] = [
        each for each in release.all("Service") if wanted <= each["metadata"]["labels"].items()
    ]
    [endpoint] = monitor["endpoints"]
    [port] = [each for each in service["spec"]["ports"] if each["name"] == endpoint["port"]]
    [container] = [
        each["name"]
        for each in release.the("Deployment")["spec"]["template"]["spec"]["containers"]
        if port["targetPort"] in (one["name"] for one in each["ports"])
    ]
    name = service["metadata"]["name"]
    job_label = monitor.get("jobLabel")
    return {
        "job": service["metadata"]["labels"][job_label] if job_label else name,
        "namespace": "web",
        "service": name,
        "container": container,
        "endpoint": endpoint["port"],
        "pod": f"{name}-5d9c7b8f6d-x2x4q",
        "instance": "10.0.0.1:9000",
    }


SCRAPES = {
    "a plain scrape": {"job": "counter", "instance": "localhost:9000"},
    "a job of another name": {"job": "web", "instance": "localhost:9000"},
    "the chart": monitored(),
    "the chart with another name": monitored("name=visits"),
}

HEALTHY: Series = {
    "up": "1x60",
    "counter_loops": "4x60",
    "counter_redis_connected_loops": "4x60",
    'counter_visits_total{outcome="counted"}': "0+6000x60",
    'counter_visits_total{outcome="unavailable"}': "0+6x60",
    'counter_hits_total{outcome="counted"}': "0+3000x60",
    'counter_hits_total{outcome="unavailable"}': "0+3x60",
    "counter_counters": "700x60",
    "counter_counters_limit": "1000x60",
    'counter_redis_risk{risk="eviction"}': "0x60",
    "counter_batches_refused_total": "7x60",
    "counter_batches_unconfirmed_total": "2x60",
    "counter_streams_refused_total": "9x60",
    "counter_redis_reconnects_total": "0x30 1x30",
    'counter_visit_duration_seconds_bucket{le="0.125"}': "0+5990x60",
    'counter_visit_duration_seconds_bucket{le="0.5"}': "0+6000x60",
    'counter_visit_duration_seconds_bucket{le="+Inf"}': "0+6000x60",
    'counter_redis_round_trip_seconds_bucket{le="0.0625"}': "0+5990x60",
    'counter_redis_round_trip_seconds_bucket{le="0.25"}': "0+6000x60",
    'counter_redis_round_trip_seconds_bucket{le="+Inf"}': "0+6000x60",
    'counter_http_requests_total{code="200"}': "0+6000x60",
    'counter_http_requests_total{code="404"}': "0+600x60",
    "process_open_fds": "700x60",
    "process_max_fds": "1000x60",
    "process_cpu_seconds_total": "0+180x60",
    "process_start_time_seconds": "1x30 2x30",
    "counter_access_log_lines_dropped_total": "3x60",
}

# What is different when an alert must fire, after an hour of a sample a minute.
FAULTS: dict[str, Series] = {
    "CounterDown": {name: "_x60" for name in HEALTHY}
    | {"up": "1x57 0x2", "counter_loops": "4x57 _x2"},
    "CounterVisitsNotCounted": {
        'counter_visits_total{outcome="unavailable"}': "0+60x60",
        'counter_hits_total{outcome="unavailable"}': "0+60x60",
    },
    "CounterRedisAtRisk": {'counter_redis_risk{risk="eviction"}': "0x40 1x19"},
    "CounterReplicasMissing": {"counter_batches_unconfirmed_total": "2+1x60"},
    "CounterStreamsRefused": {"counter_streams_refused_total": "9+1x60"},
    "CounterFewNamesLeft": {"counter_counters": "950x60"},
    "CounterWithoutRedis": {"counter_redis_connected_loops": "4x50 3x9"},
    "CounterRefusedByRedis": {"counter_batches_refused_total": "7+1x60"},
    "CounterRedisUnsteady": {"counter_redis_reconnects_total": "0+1x60"},
    "CounterSlow": {'counter_visit_duration_seconds_bucket{le="0.125"}': "0+5900x60"},
    "CounterRedisSlow": {'counter_redis_round_trip_seconds_bucket{le="0.0625"}': "0+5900x60"},
    "CounterBadRequests": {'counter_http_requests_total{code="404"}': "0+1800x60"},
    "CounterFewDescriptorsLeft": {"process_open_fds": "950x60"},
    "CounterProcessorsBusy": {"process_cpu_seconds_total": "0+216x60"},
    "CounterRestarts": {"process_start_time_seconds": "1x30 2x7 _x3 3x7 _x3 4x9"},
    "CounterAccessLogDropped": {"counter_access_log_lines_dropped_total": "3+1x60"},
}

# The same metrics from a program that is no counter.
STRANGER: Labels = {"job": "node", "instance": "localhost:9100"}
STRANGER_IN_TROUBLE: Series = {
    "up": "1x50 0x9",
    "process_open_fds": "999x60",
    "process_max_fds": "1000x60",
    "process_cpu_seconds_total": "0+600x60",
    "process_start_time_seconds": "0+1x60",
}


@dataclasses.dataclass(frozen=True)
class Target:
    """A program that is scraped, with its labels and its metrics."""

    labels: Labels
    series: Series

    def input(self) -> list[dict[str, str]]:
        """The series as promtool reads them."""
        result = []
        for name, values in self.series.items():
            name, _, own = name.removesuffix("}").partition("{")
            pairs = [own] if own else []
            pairs += [f'{label}="{value}"' for label, value in self.labels.items()]
            result.append({"series": f"{name}{{{','.join(pairs)}}}", "values": values})
        return result


def check_firing(expected: set[tuple[str, str]], *targets: Target) -> str:
    """Has promtool check which alerts fire after an hour, each with its job; returns complaints."""
    query = {
        "expr": 'count by (alertname, job) (ALERTS{alertstate="firing"})',
        "eval_time": "59m",
        "exp_samples": [
            {"labels": f'{{alertname="{alert}", job="{job}"}}', "value": 1}
            for alert, job in expected
        ],
    }
    series = [each for target in targets for each in target.input()]
    test = {"interval": "1m", "input_series": series, "promql_expr_test": [query]}
    content = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}
    with tempfile.TemporaryDirectory(prefix="counter-alerts-") as folder:
        file = pathlib.Path(folder) / "test.yaml"
        file.write_text(yaml.safe_dump(content), encoding="utf-8")
        ended = subprocess.run(
            [PROMTOOL, "test", "rules", file], capture_output=True, text=True, timeout=60
        )
    return "" if ended.returncode == 0 else ended.stdout + ended.stderr


class AlertTests(unittest.TestCase):
    def assert_firing(self, expected: set[tuple[str, str]], *targets: Target) -> None:
        self.assertEqual(check_firing(expected, *targets), "")

    def test_each_alert_has_a_fault_that_it_fires_for(self):
        groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
        self.assertEqual({rule["alert"] for group in groups for rule in group["rules"]}, set(FAULTS))

    def test_none_fires_for_a_counter_that_works(self):
        for way, labels in SCRAPES.items():
            with self.subTest(scraped_by=way):
                self.assert_firing(set(), Target(labels, HEALTHY))

    def test_each_fires_for_its_fault_alone(self):
        for way, labels in SCRAPES.items():
            for alert, fault in FAULTS.items():
                with self.subTest(scraped_by=way, alert=alert):
                    target = Target(labels, HEALTHY | fault)
                    self.assert_firing({(alert, labels["job"])}, target)

    def test_a_counter_that_never_answered_is_down(self):
        for way, labels in SCRAPES.items():
            # Nothing tells this one from any other program.
            if labels["job"] != "web":
                with self.subTest(scraped_by=way):
                    target = Target(labels, {"up": "0x60"})
                    self.assert_firing({("CounterDown", labels["job"])}, target)

    def test_none_fires_for_another_program(self):
        self.assert_firing(
            set(), Target(STRANGER, STRANGER_IN_TROUBLE), Target(SCRAPES["the chart"], HEALTHY)
        )

    def test_a_release_that_works_does_not_hide_another_that_fails(self):
        busy = HEALTHY | {
            name: values.replace("x60", "00x60")
            for name, values in HEALTHY.items()
            if name.startswith("counter_") and values.startswith("0+")
        }
        for other in (
            SCRAPES["the chart with another name"],
            SCRAPES["the chart"] | {"namespace": "shop", "instance": "10.0.0.2:9000"},
        ):
            for alert in (
                "CounterVisitsNotCounted", "CounterSlow", "CounterRedisSlow", "CounterBadRequests",
            ):
                with self.subTest(alert=alert, other=other["job"]):
                    failing = Target(SCRAPES["the chart"], HEALTHY | FAULTS[alert])
                    expected = {(alert, failing.labels["job"])}
                    self.assert_firing(expected, failing, Target(other, busy))
