"""Packs against each other on stays whose outcome is known, and how the pack `default` was chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from ward.alerts.packs import load_pack
from ward.evaluation import training
from ward.evaluation.datasets import DataSet, load
from ward.evaluation.judged import NEVER, WINDOW, Stays, called, figures
from ward.evaluation.lived import Course, courses, days
from ward.evaluation.plots import Point, load_recall
from ward.evaluation.section import Json, Progress, Section
from ward.lifetime import Life
from ward.models import find_risk
from ward.scoring.readings import Int
from ward.scoring.risk import RiskModel
from ward.scoring.rules import Clause, Priority, Rule
from ward.signals import MINUTE

TITLE: Final = "Packs"
SINGLE: Final = "single thresholds"
CHOSEN: Final = "default"
NEWS2_CUTS: Final = (4, 5, 6, 7, 8)
RISK_CUTS: Final = (0.015, 0.02, 0.025, 0.03, 0.04, 0.06)
RISK_ADDED: Final = (0.025, 0.04)
"""Of these, those that are tried beside rules."""
QUICK: Final = 40
"""Stays of each collection in the short form."""
SETS: Final = ("cinc2019", "cinc2012", "mimic3_demo")
LEARNED_FROM: Final = "cinc2019"
FOLD: Final = 0
WITH_RISK: Final = 600
"""Stays of each collection on which packs with the risk are judged at the most."""
Parts = list[tuple[list[int], RiskModel | None]]
"""Places of stays, and the model that judges them."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """``family``: of packs that differ in a cut-off alone, a curve in the picture."""

    words: str
    rules: tuple[Rule, ...]
    family: str = ""


def score_rule(signal: str, cut: float, minutes: int, priority: Priority = "medium") -> Rule:
    time = minutes * MINUTE
    return Rule(
        f"{signal}-from-{cut:g}", f"{signal} of {cut:g} or more", priority, "physiological",
        (Clause(signal, ">=", cut),), time, time, time,
    )  # fmt: skip


def candidates(*, with_risk: bool) -> dict[str, Candidate]:
    """By name. All are the two built-in packs, parts of them, or one score alone."""
    default = tuple(r for r in load_pack("default").rules if r.kind == "physiological")
    published = load_pack("ward-rct-2025").rules
    body = tuple(r for r in default if "news2" not in r.signals)
    own = {r.id: r for r in body}
    inhibiting = tuple(replace(r, inhibits=own[r.id].inhibits) if r.id in own else r for r in published)
    found = {
        "ward-rct-2025": Candidate("the published rules, nothing else", published),
        "+ inhibition": Candidate("a worse rule of the same signal inhibits the milder", inhibiting),
        "+ hysteresis": Candidate("and an alert clears only beyond its threshold", body),
        "NEWS2 alone": Candidate("5 for 30 min, 7 for 10 min", _news2_alone()),
        "rules + NEWS2": Candidate("with NEWS2 of 5 and 7", (*body, *_news2_alone())),
    }
    if with_risk:
        for added in RISK_ADDED:
            extra = score_rule("risk", added, 30)
            found[f"rules + risk {added:g}"] = Candidate("in place of NEWS2", (*body, extra))
            found[f"default + risk {added:g}"] = Candidate("beside NEWS2", (*default, extra))
    found[CHOSEN] = Candidate("what a ward starts with", default)
    for cut in NEWS2_CUTS:
        found[f"NEWS2 {cut}"] = Candidate("", (score_rule("news2", cut, 30),), "NEWS2 alone, 30 min")
    for risk in RISK_CUTS if with_risk else ():
        found[f"risk {risk:g}"] = Candidate("", (score_rule("risk", risk, 30),), "risk alone, 30 min")
    return found


def _news2_alone() -> tuple[Rule, ...]:
    urgent, emergency = score_rule("news2", 5, 30), score_rule("news2", 7, 10, "high")
    return (replace(emergency, inhibits=(urgent.id,)), urgent)


# ---------------------------------------------------------------------- one collection


def run(folder: Path, *, seed: int, quick: bool, progress: Progress) -> Section:
    """``quick``: a few stays of each collection."""
    model = find_risk("default")
    packs = candidates(with_risk=model is not None)
    results: Json = {}
    for number, name in enumerate(SETS):
        base = number / len(SETS)
        progress(f"packs: reading {name}", base)
        found = load(name, folder)
        if found is None:
            continue
        chosen = with_readings(found, quick=quick)
        if not chosen.recordings:
            continue
        told = partial(_told, progress, name, base)
        plain: Parts = [(list(range(len(chosen.recordings))), None)]
        results[name] = judge(chosen, candidates(with_risk=False), plain, seed, told)
        own = model if name != LEARNED_FROM else _unseen(training.known(folder, seed, quick))
        if own is not None:
            some = unseen(chosen)
            parts: Parts = [(list(range(len(some.recordings))), own)]
            results[name]["with_risk"] = judge(some, packs, parts, seed, told)
    return _section(results, packs, model)


def _unseen(prepared: training.Prepared | None) -> RiskModel | None:
    """The model that has not seen one fold; None where the part on the score, which makes it, did not run in
    this process."""
    return None if prepared is None else prepared.model_of(FOLD)


def unseen(found: DataSet) -> DataSet:
    """Some stays, of the collection that the score learns from those of one fold. The risk is computed each
    five minutes, so not all stays can be waited for."""
    stays = [recording.stay for recording in found.recordings]
    learned = found.name == LEARNED_FROM
    places = [i for i, stay in enumerate(stays) if not learned or training.fold_of(stay) == FOLD]
    return taken(found, places[:WITH_RISK])


def _told(progress: Progress, name: str, base: float, what: str, share: float) -> None:
    progress(f"packs: {name}, {what}", base + share / len(SETS))


def with_readings(found: DataSet, *, quick: bool) -> DataSet:
    """Stays that have any; in the short form a few, those with an event first."""
    keep = np.flatnonzero([len(r) > 0 for r in found.recordings])
    if quick:
        event = np.array([bool(y.any()) for y in found.labels] or [False] * len(found.recordings))
        keep = keep[np.argsort(~event[keep], kind="stable")][:QUICK]
    return taken(found, keep.tolist())


def taken(found: DataSet, places: list[int]) -> DataSet:
    return DataSet(
        found.name,
        [found.recordings[i] for i in places],
        [found.people[i] for i in places],
        [found.labels[i] for i in places] if found.labels else [],
        None if found.died is None else found.died[places],
        found.left_out,
    )


def judge(
    found: DataSet, packs: Mapping[str, Candidate], parts: Parts, seed: int, progress: Progress
) -> Json:
    """Figures of every pack on one collection."""
    n = len(found.recordings)
    nothing: Int = np.empty(0, np.int64)
    calls, alerts = ({name: [nothing] * n for name in (SINGLE, *packs)} for _ in range(2))
    by_rule, useful = Counter[str](), Counter[str]()
    onsets = found.onsets() if found.labels else {}
    monitored = np.zeros(n, np.int64)
    rules = {name: candidate.rules for name, candidate in packs.items()}
    for number, (members, model) in enumerate(parts):
        progress("engine", number / len(parts))
        at = 0
        for course in courses([found.recordings[i] for i in members], rules, model):
            here = members[at : at + len(course.recordings)]
            at += len(here)
            monitored[here] = course.monitored()
            for i, times in zip(here, _crossed(course, "ward-rct-2025"), strict=True):
                calls[SINGLE][i] = alerts[SINGLE][i] = times
            for done, name in enumerate(packs):
                progress(name, (number + (done + 1) / (len(packs) + 1)) / len(parts))
                for i, life in zip(here, course.lives(name, always_on=False), strict=True):
                    calls[name][i], alerts[name][i] = _calls(life), _alerts(life)
                    if name == CHOSEN:
                        by_rule.update(call.rule for call in life.interruptions)
                        useful.update(_in_window(life, onsets.get(life.stay)))
    stays = stays_of(found, monitored)
    return {
        "stays": n,
        "events": int(stays.event.sum()),
        "patient_days": round(float(stays.days.sum()), 1),
        "timed": stays.timed,
        "packs": {
            name: {
                "words": packs[name].words if name in packs else "no filter, no duration: every crossing",
                **figures(stays, called(stays, calls[name], alerts[name]), seed),
            }
            for name in calls
        },
        "by_rule": {rule: round(n / days(monitored), 4) for rule, n in by_rule.most_common()},
        "useful_by_rule": {rule: useful[rule] for rule in by_rule if useful[rule]},
    }


def _in_window(life: Life, onset: int | None) -> list[str]:
    """The rules that called in the window before the stay's event."""
    if onset is None:
        return []
    return [call.rule for call in life.interruptions if onset - WINDOW <= call.at <= onset]


def _calls(life: Life) -> Int:
    return np.array([call.at for call in life.interruptions], np.int64)


def _alerts(life: Life) -> Int:
    return np.array([a.announced_at for a in life.alerts if a.announced_at is not None], np.int64)


def _crossed(course: Course, pack: str) -> list[Int]:
    """Times of crossings by recording, in the recordings' own time."""
    found = course.crossed(pack).in_order()
    order = np.argsort(found.slot, kind="stable")
    bounds = np.searchsorted(found.slot[order], np.arange(1, len(course.recordings)))
    return [times - course.shift for times in np.split(found.time[order], bounds)]


def stays_of(found: DataSet, monitored: Int) -> Stays:
    """What is known of the stays; days end with the event."""
    onsets = found.onsets() if found.labels else {}
    onset = np.array([onsets.get(r.stay, NEVER) for r in found.recordings], np.int64)
    event = onset < NEVER if found.died is None else found.died
    span = np.array([int(r.rows[-1]) - int(r.time[0]) for r in found.recordings], np.float64)
    until = np.minimum(onset, [int(r.rows[-1]) for r in found.recordings]).astype(np.float64)
    at_risk = np.maximum(until - [int(r.time[0]) for r in found.recordings], 0)
    share = np.where(span > 0, at_risk / np.maximum(span, 1), 1.0)
    return Stays(np.array([days(int(m)) for m in monitored]) * share, event, onset, bool(found.labels))


# ---------------------------------------------------------------------- the section


def _section(results: Json, packs: Mapping[str, Candidate], model: RiskModel | None) -> Section:
    if not results:
        return Section(TITLE, _MISSING, {"missing": True})
    parts = [_HOW]
    for name, result in results.items():
        parts += [_heading(name, result), _table(result, packs)]
        if model is not None and "with_risk" not in result:
            parts.append(
                "With the score: only where its part runs in the same go, which makes a model without them."
            )
        if "with_risk" in result:
            some = result["with_risk"]
            parts += [_SOME.format(stays=some["stays"], events=some["events"]), _table(some, packs)]
    if model is None:
        parts.append("No model of `risk` is there: packs with it are left out.")
    shown = {name: result.get("with_risk", result) for name, result in results.items()}
    pictures = {
        f"packs-{n}": partial(_draw, n, found, packs) for n, found in shown.items() if found["events"]
    }
    parts += [f"![packs on {n.removeprefix('packs-')}: interruptions against recall]"
              f"(images/alert-quality/{n}.svg)" for n in pictures]  # fmt: skip
    parts += [_fewer(results), _by_rule(results)]
    return Section(TITLE, "\n\n".join(parts), results, dict(pictures))


def _heading(name: str, result: Json) -> str:
    what = {
        "cinc2019": "an event is the onset of sepsis, caught by an interruption in the 12 h before",
        "cinc2012": "an event is death in hospital, at an hour that is not told: caught by any interruption "
        "in the first 48 h",
        "mimic3_demo": "no outcome to judge by: load only",
    }[name]
    return (
        f"### {name}: {result['stays']:,} stays, {result['patient_days']:,.0f} patient-days at risk, "
        f"{result['events']} events\n\nHere {what}."
    )


def _table(result: Json, packs: Mapping[str, Candidate]) -> str:
    timed = result["timed"]
    head = "| pack | alerts a day | **interruptions a day** |"
    head += " recall | precision |" if result["events"] else ""
    head += " lead, h |" if timed else ""
    head += " stays never interrupted | of all, by the busiest tenth |"
    lines = [head, "|---" * (head.count("|") - 1) + "|"]
    for name, f in result["packs"].items():
        if name in packs and packs[name].family:
            continue
        shown = f"**{name}**" if name == CHOSEN else name
        note = packs[name].words if name in packs else "no filter, no duration: every crossing"
        cells = [
            f"{shown}{': ' + note if note else ''}",
            f"{f['alerts_a_day']:.2f}",
            _with(f, "calls_a_day", 2),
        ]
        cells += [_with(f, "recall", 3), _with(f, "precision", 3)] if result["events"] else []
        cells += ["" if f["lead_h"] is None else f"{f['lead_h']:.1f}"] if timed else []
        cells += [f"{f['never_called']:.0%}", "" if f["top_tenth"] is None else f"{f['top_tenth']:.0%}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _with(figure: Json, name: str, digits: int) -> str:
    value, interval = figure[name], figure[f"{name}_ci"]
    if value is None:
        return ""
    span = f" ({interval[0]:.{digits}f}–{interval[1]:.{digits}f})" if interval else ""
    return f"{value:.{digits}f}{span}"


def _fewer(results: Json) -> str:
    shares = []
    for name, result in results.items():
        single, own = (result["packs"][pack]["calls_a_day"] for pack in (SINGLE, CHOSEN))
        shares.append(f"{name} {1 - own / single:.0%}")
    return (
        f"Against single thresholds `{CHOSEN}` interrupts less by: {', '.join(shares)}. That is far from the "
        "97 % of recordings of every second: an hourly chart crosses a threshold a few times a day, where a "
        "monitor does so over a thousand times."
    )


def _by_rule(results: Json) -> str:
    sets = list(results)
    rules = dict.fromkeys(rule for name in sets for rule in results[name]["by_rule"])
    useful = results.get(LEARNED_FROM, {}).get("useful_by_rule", {})
    lines = [
        f"### What `{CHOSEN}` interrupts for\n\nInterruptions a patient-day, by the rule that called; and "
        "how many fell into the 12 h before a sepsis:\n",
        f"| rule | {' | '.join(sets)} | before a sepsis |",
        f"|---{'|---' * len(sets)}|---|",
    ]
    for rule in rules:
        cells = [f"{results[name]['by_rule'].get(rule, 0):.3f}" for name in sets]
        lines.append(f"| `{rule}` | {' | '.join(cells)} | {useful.get(rule, 0)} |")
    return "\n".join(lines)


def _draw(name: str, result: Json, packs: Mapping[str, Candidate], figure: object) -> None:
    points, curves = [], {}
    families: dict[str, list[Json]] = {}
    for pack, f in result["packs"].items():
        family = packs[pack].family if pack in packs else ""
        if family:
            families.setdefault(family, []).append(f)
        elif pack != SINGLE:
            points.append(Point(pack, f["calls_a_day"], f["recall"], f["recall_ci"], pack == CHOSEN))
    for family, found in families.items():
        curves[family] = ([f["calls_a_day"] for f in found], [f["recall"] for f in found])
    load_recall(figure, points, f"{name}: interruptions against events caught", curves)


_MISSING: Final = """Not run: none of cinc2019, cinc2012, mimic3_demo is in the folder. They are open:
physionet.org/content/challenge-2019, /challenge-2012 and /mimiciii-demo."""

_SOME: Final = """With the score, on {stays:,} of these stays ({events} events), which the model that is used
here has not seen:"""

_HOW: Final = """Every pack through the same engine and alert book (with the staff of the section on
interruptions), on stays charted about hourly. What interrupts is the first alert of an episode, a higher
priority, or a high alert on another signal. Technical rules are left out here: in a chart a signal is
'absent' because nobody wrote it down. These are intensive-care patients, and hourly values: a ward has fewer
alerts, a monitor sees more. A rule of minutes needs two readings, so here it takes two hours in a row: WARD's
rules are judged below what they can do. Sepsis and death are not what the rules are for either: they call for
what is dangerous now. Intervals are 95 %, by bootstrap over stays."""
