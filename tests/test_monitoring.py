"""deploy/monitoring: what it names exists, and Prometheus understands it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

import ward.service
import ward.web.app  # noqa: F401 - both declare the metrics

FOLDER = Path(__file__).parent.parent / "deploy" / "monitoring"
RULES = [
    rule
    for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
PANELS = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
EXPRESSIONS = {rule["alert"]: rule["expr"] for rule in RULES} | {
    f"{panel['title']} {target['refId']}": target["expr"] for panel in PANELS for target in panel["targets"]
}
FROM_PROMETHEUS = {"instance", "job", "le"}


def known() -> dict[str, set[str]]:
    """Each series by its name, with its labels."""
    found: dict[str, set[str]] = {}
    for collector in set(REGISTRY._names_to_collectors.values()):
        if not isinstance(collector, MetricWrapperBase):
            continue
        (family,) = collector.describe()
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(family.type, [""])
        for suffix in suffixes:
            found[family.name + suffix] = set(collector._labelnames)
    return found


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_it_names_metrics_and_labels_that_exist(name):
    expression, series = EXPRESSIONS[name], known()
    metrics = set(re.findall(r"\bward_[a-z_]+\b", expression))
    assert metrics <= series.keys()
    labels = set().union(*(series[metric] for metric in metrics)) | FROM_PROMETHEUS
    by = {one.strip() for text in re.findall(r"by \(([^)]*)\)", expression) for one in text.split(",")}
    within = {
        one for text in re.findall(r"{([^}]*)}", expression) for one in re.findall(r"(\w+)\s*[=!]", text)
    }
    assert by | within <= labels
    assert metrics or name == "WardGone"


def test_what_is_said_of_an_alert_has_its_labels():
    series = known()
    for rule in RULES:
        metrics = re.findall(r"\bward_[a-z_]+\b", rule["expr"])
        labels = set().union(*(series[metric] for metric in metrics)) | FROM_PROMETHEUS
        assert set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])) <= labels
        assert rule["labels"]["severity"] in ("critical", "warning")


def test_panels_do_not_overlap():
    taken = set()
    for panel in PANELS:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_prometheus_understands_the_rules():
    if shutil.which("promtool") is None:
        pytest.skip("needs promtool: apt-get install prometheus")
    done = subprocess.run(
        ["promtool", "check", "rules", str(FOLDER / "alerts.yaml")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
