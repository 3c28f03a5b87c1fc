"""Reports from the database: what the API, the command line and the service share. Reads only; not on the
event loop."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection

from ward.clock import iso
from ward.errors import InvalidError, require_span
from ward.reports.drift import LASTING, WINDOWS, Finding, Past, Verdict, complete, examine, sentence
from ward.reports.rules import Group, Json, caution_words, cautions, rule_report
from ward.reports.tally import watched
from ward.store.feedback import feedback, per_day, present
from ward.store.tallies import DAY, Baseline, current_baselines, first_days, read_tallies
from ward.zones import instant, is_zone, local, weekday

DEFAULT: Final = 28 * DAY
LONGEST: Final = 400 * DAY
_BACK: Final = (2 * max(WINDOWS) + LASTING) * DAY
"""How far back the days may lie that are compared: there may be gaps."""
_SEARCH: Final = 10
"""So many times its length the first reference may take to fill: on some days nobody is there."""


def rules(
    connection: Connection,
    now: int,
    *,
    start: int | None,
    end: int | None,
    wards: Collection[str] | None,
    group: Group = "none",
    in_real_time: bool = True,
    zone: str = "UTC",
) -> Json:
    """The report per rule of ``[start, end)`` (ms; by default the last 28 days), of these wards (None: all);
    hours of the day and weeks are those of clocks in ``zone``.

    Raises InvalidError for an impossible span, an unknown zone, and for a span with too many alerts.
    """
    if not is_zone(zone):
        raise InvalidError(
            f"there is no time zone {zone!r}; one is named like Europe/Copenhagen", field="zone"
        )
    end = now if end is None else end
    start = end - DEFAULT if start is None else start
    require_span(start, end, "start")
    if end - start > LONGEST:
        raise InvalidError(
            f"a report covers {LONGEST // DAY} days at the most",
            field="start",
            code="report-long",
            params={"days": LONGEST // DAY},
        )
    found = feedback(connection, start, end, wards)
    tallies = read_tallies(connection, start // DAY * DAY, end, wards)
    report = rule_report(
        found,
        watched(tallies, start, end),
        start,
        end,
        now,
        group=group,
        in_real_time=in_real_time,
        zone=zone,
    )
    since = min(first_days(connection, wards).values(), default=None)
    first = min((alert.raised for alert in found.alerts), default=None)
    report["cautions"] = cautions(report, first, since, zone)
    report["notes"] = [caution_words(one) for one in report["cautions"]]
    return report | {"start": iso(start), "end": iso(end), "zone": zone}


def week_of(start: int | None, end: int | None, zone: str, now: int) -> tuple[int, int]:
    """What is asked for (ms), by default seven days from ``start`` on, or the last whole week from Monday by
    clocks in ``zone``. Raises InvalidError for an unknown zone."""
    _require_zone(zone)
    if start is None:
        today = local(zone, now)[0]
        start = instant(zone, today - weekday(today) - 7, 0)
    return start, instant(zone, local(zone, start)[0] + 7, 0) if end is None else end


def _require_zone(zone: str) -> None:
    if not is_zone(zone):
        said = f"there is no time zone {zone!r}; one is named like Europe/Copenhagen"
        raise InvalidError(said, field="zone")


def drift(
    connection: Connection, now: int, reference_days: int, wards: Collection[str] | None = None
) -> dict[str, tuple[Baseline | None, Verdict]]:
    """Each ward that was ever watched, in these (None: all): with what it is compared, and how it is."""
    baselines = current_baselines(connection, wards)
    found = {}
    for ward, first in sorted(first_days(connection, wards).items()):
        baseline = baselines.get(ward) or _first_baseline(connection, ward, first, reference_days, now)
        past = Past((), ()) if baseline is None else _past(connection, ward, baseline, now)
        found[ward] = baseline, examine(past, baseline, now)
    return found


def _first_baseline(connection: Connection, ward: str, first: int, days: int, now: int) -> Baseline | None:
    """The first so many complete days; None as long as there are fewer."""
    over = complete(read_tallies(connection, first, first + _SEARCH * days * DAY, [ward]), now)[:days]
    return Baseline(ward, over[0].day, over[-1].day + DAY, None, now) if len(over) == days else None


def _past(connection: Connection, ward: str, baseline: Baseline, now: int) -> Past:
    recent = max(now - _BACK, baseline.end) // DAY * DAY
    past = Past((), ())
    for start, end in ((baseline.start, baseline.end), (recent, now)):
        alerts, told = (each.get(ward, {}) for each in per_day(connection, start, end, [ward]))
        past = Past(
            [*past.tallies, *read_tallies(connection, start, end, [ward])],
            list({one.stay: one for one in (*past.stays, *present(connection, start, end, [ward]))}.values()),
            {**past.alerts, **alerts},
            {**past.told, **told},
        )
    return past


def drift_view(ward: str, baseline: Baseline | None, verdict: Verdict) -> Json:
    """As ``ward.web.schemas.reports.WardDrift``."""
    reference, lately = verdict.patients or (None, None)
    lasting = [one for one in verdict.findings if one.key in verdict.lasting and one.differs]
    return {
        "ward": ward,
        "state": verdict.state,
        "reference": None
        if baseline is None
        else {
            "start": iso(baseline.start),
            "end": iso(baseline.end),
            "by": baseline.by,
            "patients": None if reference is None else round(reference, 1),
        },
        "until": iso(None if verdict.until is None else verdict.until + DAY),
        "patients": None if lately is None else round(lately, 1),
        "differs": sorted({sentence(one) for one in lasting}),
        "findings": [_finding_view(one, verdict) for one in verdict.findings],
    }


def _finding_view(one: Finding, verdict: Verdict) -> Json:
    return {
        "what": one.key.what,
        "aspect": one.key.aspect,
        "days": one.days,
        "reference": round(one.before, 4),
        "now": round(one.now, 4),
        "chance": round(one.chance, 3),
        "size": round(one.size, 3),
        "psi": None if one.psi is None else round(one.psi, 4),
        "differs": one.differs,
        "lasting": one.differs and one.key in verdict.lasting,
        "words": sentence(one),
    }
