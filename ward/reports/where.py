"""When and where alerts come: by the hour of the day, and by the bed. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ward.alerts.model import REPEATS
from ward.reports.tally import HOURS
from ward.signals import HOUR
from ward.store.feedback import Feedback
from ward.zones import local

Json = dict[str, Any]


def by_hour(found: Feedback, zone: str) -> list[Json]:
    """Alerts and interruptions of each hour of the day, by clocks in ``zone``."""
    alerts = Counter(_hour(zone, one.raised) for one in found.alerts)
    told = Counter(_hour(zone, one.at) for one in found.told if one.why not in REPEATS)
    return [{"hour": hour, "alerts": alerts[hour], "interruptions": told[hour]} for hour in range(HOURS)]


def by_bed(found: Feedback) -> list[Json]:
    """Alerts and interruptions of each bed that had some, those that interrupted most first; with how many
    patients they were."""
    alerts: Counter[tuple[str, str]] = Counter()
    told: Counter[tuple[str, str]] = Counter()
    patients: dict[tuple[str, str], set[str]] = {}
    for alert in found.alerts:
        alerts[alert.ward, alert.bed] += 1
        patients.setdefault((alert.ward, alert.bed), set()).add(alert.stay)
    for one in found.told:
        if one.why not in REPEATS:
            told[one.ward, one.bed] += 1
            patients.setdefault((one.ward, one.bed), set()).add(one.stay)
    order = sorted(patients, key=lambda bed: (-told[bed], -alerts[bed], bed))
    return [
        {
            "ward": bed[0],
            "bed": bed[1],
            "patients": len(patients[bed]),
            "alerts": alerts[bed],
            "interruptions": told[bed],
        }
        for bed in order
    ]


def _hour(zone: str, at: int) -> int:
    return local(zone, at)[1] // HOUR
