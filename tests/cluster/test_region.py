"""The calculation of docs/scale.md is what its command says of the constants that were measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cluster.region import needed

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "scale.md").read_text()
MEASURED, EQUAL = (
    [json.loads(line) for line in (DOCS / name).read_text().splitlines()]
    for name in ("scale.jsonl", "scale-equal.jsonl")
)


@pytest.mark.parametrize(
    "measured", [*MEASURED, *EQUAL], ids=lambda one: f"{one['engines']} of {one['beds']}"
)
def test_the_paper_has_what_was_measured(measured):
    row = [measured["engines"], measured["beds"] // measured["engines"], f"{measured['readings_a_second']:,}"]
    row += [measured[f"{part}_us_a_reading"] for part in ("engine", "nats", "postgres")]
    idle = round(measured["engine_idle_percent"] / measured["engines"], 1)
    row += [f"{idle} %", f"{measured['memory_mb_an_engine']} MB"]
    assert f"| {' | '.join(str(one) for one in row)} |" in TEXT
    assert measured["beds_heard"] == measured["beds"]  # nobody was behind


@pytest.mark.parametrize("measured", MEASURED, ids=lambda one: str(one["engines"]))
def test_the_paper_has_the_region_that_they_give(measured):
    told = needed(measured, 100_000)
    cores = [told[f"{part}_cores"] for part in ("engine", "nats", "postgres")]
    row = [f"{told['beds_an_engine_as_measured']:.0f}", *cores]
    assert f"| {' | '.join(str(one) for one in row)} |" in TEXT
    assert f"{told['disk_a_day_gb']} GB a day, {told['disk_of_retention_tb']} TB" in TEXT
    assert f"{told['network_from_devices_mb_s']} MB/s" in TEXT
    assert f"{told['memory_of_stays_gb']} GB" in TEXT
