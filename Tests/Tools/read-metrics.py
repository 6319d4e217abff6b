"""Reads metrics with Prometheus's own parser, and writes them as JSON: a list of samples."""

import json
import sys

from prometheus_client.parser import text_string_to_metric_families

with open(sys.argv[1], encoding="utf-8") as text:
    families = list(text_string_to_metric_families(text.read()))

names = [family.name for family in families]
if len(names) != len(set(names)):
    sys.exit("a metric is described twice")
json.dump(
    [
        {
            "type": family.type,
            "name": sample.name,
            "labels": sample.labels,
            "value": sample.value,
        }
        for family in families
        for sample in family.samples
    ],
    sys.stdout,
)
