"""Lists what a dashboard or a file of alert rules asks for, as JSON: expressions by title."""

import json
import sys

import yaml


def panels(dashboard):
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


with open(sys.argv[1], encoding="utf-8") as text:
    # JSON is YAML, too.
    content = yaml.safe_load(text)
if "groups" in content:
    pairs = [
        (rule["alert"], rule["expr"]) for group in content["groups"] for rule in group["rules"]
    ]
else:
    pairs = [
        (f"{panel['title']} {target['refId']}", target["expr"])
        for panel in panels(content)
        for target in panel.get("targets", [])
    ]
json.dump([{"title": title, "expression": expression} for title, expression in pairs], sys.stdout)
