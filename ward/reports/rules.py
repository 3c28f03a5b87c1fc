"""The report per rule: what its alerts were worth by those who took them, and what they cost. Pure."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from ward.alerts.model import ASSESSMENTS, RANK, REPEATS
from ward.alerts.technical import RULES, is_technical
from ward.language import Language
from ward.reports.shares import Share, common_prior, share, verdict, weight
from ward.reports.tally import Watched
from ward.reports.where import by_bed, by_hour
from ward.signals import SECOND
from ward.store.feedback import Feedback, Raised
from ward.store.tallies import DAY
from ward.zones import day_text, local

Json = dict[str, Any]
Group = Literal["none", "ward", "week"]
WEEK: Final = 7 * DAY
FEW_ASSESSED: Final = 0.5

Caution = Literal["not-asked", "no-time", "part-of-time"]
CAUTIONS: Final[Mapping[Language, Mapping[Caution, str]]] = {
    "en": {
        "not-asked": "Fewer than half of the alerts were assessed. Those that were are not drawn by lot: "
        "what is said of the rules holds for assessed alerts only.",
        "no-time": "No monitored time was counted in this span, so there are no figures per patient-day.",
        "part-of-time": "Monitored time was counted from {since} on: figures per patient-day are too high.",
    },
    "da": {
        "not-asked": "Under halvdelen af alarmerne er vurderet. De vurderede er ikke udtrukket ved "
        "lodtrækning: det, der siges om reglerne, gælder kun vurderede alarmer.",
        "no-time": "Der er ikke talt overvåget tid i dette tidsrum, så der er ingen tal pr. patientdøgn.",
        "part-of-time": "Overvåget tid er talt fra {since}: tallene pr. patientdøgn er for høje.",
    },
    "nb": {
        "not-asked": "Under halvparten av alarmene er vurdert. De vurderte er ikke trukket ved "
        "loddtrekning: det som sies om reglene, gjelder bare vurderte alarmer.",
        "no-time": "Det er ikke talt overvåket tid i dette tidsrommet, så det er ingen tall per pasientdøgn.",
        "part-of-time": "Overvåket tid er talt fra {since}: tallene per pasientdøgn er for høye.",
    },
}
"""What a reader must know before she believes the figures."""


@dataclass(slots=True)
class _Sums:
    """What there is of one rule, priority and group, or of all of them."""

    alerts: list[Raised] = field(default_factory=list)
    told: int = 0
    repeats: int = 0
    per_stay: Counter[str] = field(default_factory=Counter)
    assessments: Counter[str] = field(default_factory=Counter)
    assessed_of: Counter[str] = field(default_factory=Counter)
    """assessed alerts by stay"""
    acknowledged: list[int] = field(default_factory=list)
    condition: list[int] = field(default_factory=list)
    signal: list[int] = field(default_factory=list)
    lasting: int = 0


def rule_report(
    found: Feedback,
    watched: Iterable[Watched],
    start: int,
    end: int,
    now: int,
    *,
    group: Group = "none",
    in_real_time: bool = True,
    zone: str = "UTC",
) -> Json:
    """As ``ward.web.schemas.reports.RuleReport``; ``now`` (ms of the ward) ends what is still going on; hours
    of the day and weeks are those of clocks in ``zone``.

    ``in_real_time``: the ward's clock is the machine's, so that a delay up to a channel has a meaning.
    """
    key = _grouping(group, start, zone)
    last, first = _assessments(found)
    rules: dict[tuple[str, str, str], _Sums] = defaultdict(_Sums)
    groups: dict[str, _Sums] = defaultdict(_Sums)
    every = _Sums()
    until = min(end, now)
    for alert in found.alerts:
        name = key(alert.ward, alert.raised)
        for sums in (rules[_base(alert.rule), alert.priority, name], groups[name], every):
            _add(sums, alert, last.get(alert.id), first.get(alert.id), until)
            if in_real_time and (delay := found.delays.get(alert.id)) is not None:
                sums.signal.append(delay)
    for told in found.told:
        name = key(told.ward, told.at)
        for sums in (rules[_base(told.rule), told.priority, name], groups[name], every):
            if told.why in REPEATS:
                sums.repeats += 1
            else:
                sums.told += 1
    spans: dict[str, float] = defaultdict(float)
    total = 0.0
    for one in watched:
        spans[key(one.ward, one.hour)] += one.ms
        total += one.ms
    stays = _stays(found, key, group, start, end)
    prior = common_prior([_evidence(sums) for sums in rules.values()])
    rows = [
        _rule(rule, priority, name, sums, groups[name], spans[name], stays.get(name, 0))
        | {"estimate": _round(prior.mean(*_evidence(sums))) if sums.assessments else None}
        for (rule, priority, name), sums in rules.items()
    ]
    rows.sort(key=lambda r: (r["group"] or "", -r["interruptions"], -r["alerts"], r["rule"], r["priority"]))
    by_group = [
        {"group": name or None, **_load(groups[name], spans[name], stays.get(name, 0))}
        for name in sorted({*groups, *spans, *stays} - {""} if group != "none" else ())
    ]
    return {
        "start": start,
        "end": end,
        **_load(every, total, len({one.stay for one in found.stays})),
        "priorities": _priorities(rules, total),
        "hours": by_hour(found, zone),
        "beds": by_bed(found),
        "groups": by_group,
        "rules": rows,
    }


def cautions(report: Json, first: int | None, since: int | None, zone: str) -> list[Json]:
    """What to know of these figures, as ``kind`` and ``since``; ``first``: when the first alert was raised,
    ``since``: when monitored time was first counted (ms, None: never)."""
    found: list[Json] = []
    if not report["patient_days"]:
        found.append({"kind": "no-time", "since": None})
    elif since is not None and first is not None and first < since:
        found.append({"kind": "part-of-time", "since": day_text(local(zone, since)[0])})
    if report["alerts"] and report["assessed"] < FEW_ASSESSED * report["alerts"]:
        found.append({"kind": "not-asked", "since": None})
    return found


def caution_words(caution: Json, language: Language = "en") -> str:
    return CAUTIONS[language][caution["kind"]].format(since=caution["since"])


def _grouping(group: Group, start: int, zone: str) -> Callable[[str, int], str]:
    first = local(zone, start)[0]

    def week(at: int) -> str:
        return day_text(first + max(local(zone, at)[0] - first, 0) // 7 * 7)

    by: dict[Group, Callable[[str, int], str]] = {
        "none": lambda ward, at: "",
        "ward": lambda ward, at: ward,
        "week": lambda ward, at: week(at),
    }
    return by[group]


def _base(rule: str) -> str:
    """Two lost devices are two alerts, and one rule."""
    return rule.partition(":")[0] if is_technical(rule) else rule


def _assessments(found: Feedback) -> tuple[dict[str, str], dict[str, int]]:
    """By alert: its last assessment; and when somebody first took it after it was told."""
    announced = {alert.id: alert.announced for alert in found.alerts}
    last: dict[str, str] = {}
    first: dict[str, int] = {}
    for said in found.said:
        if said.assessment is not None:
            last[said.alert] = said.assessment
        told = announced.get(said.alert)
        if told is not None and said.took and said.at >= told:
            first.setdefault(said.alert, said.at - told)
    return last, first


def _add(sums: _Sums, alert: Raised, assessment: str | None, acknowledged: int | None, until: int) -> None:
    sums.alerts.append(alert)
    sums.per_stay[alert.stay] += 1
    if assessment is not None:
        sums.assessments[assessment] += 1
        sums.assessed_of[alert.stay] += 1
    if acknowledged is not None:
        sums.acknowledged.append(acknowledged)
    if alert.announced is not None:
        sums.condition.append(max(alert.announced - alert.raised, 0))
    over = until if alert.over is None or alert.over < alert.raised else min(alert.over, until)
    for begin, end in (*alert.earlier, (alert.raised, over)):
        sums.lasting += max(min(end, until) - begin, 0)


def _evidence(sums: _Sums) -> tuple[float, float]:
    """(actionable, assessed), as numbers of independent assessments."""
    total = sums.assessments.total()
    worth = weight(sums.assessed_of.values())
    return (sums.assessments["actionable"] / total * worth if total else 0.0), worth


def _stays(
    found: Feedback, key: Callable[[str, int], str], group: Group, start: int, end: int
) -> Counter[str]:
    """How many stays each group has."""
    counted: Counter[str] = Counter()
    for stay in found.stays:
        if group == "week":
            low, high = max(stay.start, start), min(end if stay.end is None else stay.end, end)
            counted.update({key("", at) for at in [*range(low, high, WEEK), max(high - 1, low)]})
        else:
            counted[key(stay.ward, stay.start)] += 1
    return counted


def _load(sums: _Sums, ms: float, stays: int) -> Json:
    days = ms / DAY
    number = len(sums.alerts)
    return {
        "patient_days": round(days, 2),
        "stays": stays,
        "alerts": number,
        "alerts_per_patient_day": _per(number, days),
        "interruptions": sums.told,
        "interruptions_per_patient_day": _per(sums.told, days),
        "repeats": sums.repeats,
        "assessed": sums.assessments.total(),
        "assessments": {name.replace("-", "_"): sums.assessments[name] for name in ASSESSMENTS},
        "top_tenth_share": _top_tenth(sums.per_stay, stays),
    }


def _rule(rule: str, priority: str, group: str, sums: _Sums, of_group: _Sums, ms: float, stays: int) -> Json:
    total = sums.assessments.total()
    worth = weight(sums.assessed_of.values())
    shares = {name: share(sums.assessments[name], total, worth) for name in ASSESSMENTS}
    patients = len(sums.assessed_of)
    newest = max(sums.alerts, key=lambda alert: alert.raised) if sums.alerts else None
    said = verdict(total, patients, *(shares[name] for name in ASSESSMENTS))
    titles = dict(RULES[rule].titles) if rule in RULES else (newest.titles if newest else None) or {}
    title = RULES[rule].title if rule in RULES else newest.title if newest else rule
    number = len(sums.alerts)
    return {
        "rule": rule,
        "title": title,
        "titles": titles,
        "priority": priority,
        "kind": newest.kind if newest else None,
        "group": group or None,
        "alerts": number,
        "alerts_per_patient_day": _per(number, ms / DAY),
        "share_of_alerts": _part(number, len(of_group.alerts)),
        "interruptions": sums.told,
        "interruptions_per_patient_day": _per(sums.told, ms / DAY),
        "share_of_interruptions": _part(sums.told, of_group.told),
        "repeats": sums.repeats,
        "patients": len(sums.per_stay),
        "top_tenth_share": _top_tenth(sums.per_stay, stays),
        "assessed": total,
        "assessed_share": _part(total, number),
        "assessed_patients": patients,
        **{name.replace("-", "_"): _share(shares[name]) for name in ASSESSMENTS},
        "verdict": said.words(),
        "judgement": {"kind": said.kind, "low": _round(said.low), "high": _round(said.high)},
        "acknowledged": len(sums.acknowledged),
        "time_to_acknowledge_s": _spread(sums.acknowledged),
        "condition_delay_s": _spread(sums.condition),
        "signal_delay_s": _spread(sums.signal),
        "time_in_alert_s": round(sums.lasting / SECOND),
        "time_in_alert_share": _part(sums.lasting, ms),
    }


def _priorities(rules: Mapping[tuple[str, str, str], _Sums], ms: float) -> list[Json]:
    alerts: Counter[str] = Counter()
    told: Counter[str] = Counter()
    taken: dict[str, list[int]] = defaultdict(list)
    for (_, priority, _), sums in rules.items():
        alerts[priority] += len(sums.alerts)
        told[priority] += sums.told
        taken[priority] += sums.acknowledged
    return [
        {
            "priority": priority,
            "alerts": alerts[priority],
            "alerts_per_patient_day": _per(alerts[priority], ms / DAY),
            "interruptions": told[priority],
            "interruptions_per_patient_day": _per(told[priority], ms / DAY),
            "time_to_acknowledge_s": _spread(taken[priority]),
        }
        for priority in sorted(RANK, key=lambda one: -RANK[one])
    ]


def _top_tenth(per_stay: Counter[str], stays: int) -> float | None:
    """Which share of the alerts came from the tenth of the stays that had the most."""
    total = per_stay.total()
    if not total:
        return None
    most = per_stay.most_common(math.ceil(max(stays, len(per_stay)) / 10))
    return _round(sum(n for _, n in most) / total)


def _per(number: int, days: float) -> float | None:
    return round(number / days, 3) if days else None


def _part(number: float, total: float) -> float | None:
    return _round(number / total) if total else None


def _share(of: Share) -> Json:
    return {name: _round(getattr(of, name)) for name in ("count", "share", "low", "high")}


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _spread(ms: list[int]) -> Json | None:
    """Median and 90th percentile (of the values there are, none in between), in seconds."""
    if not ms:
        return None
    ordered = sorted(ms)
    at = {name: ordered[math.ceil(p * len(ordered)) - 1] for name, p in (("median", 0.5), ("p90", 0.9))}
    return {"count": len(ordered), **{name: value / SECOND for name, value in at.items()}}
