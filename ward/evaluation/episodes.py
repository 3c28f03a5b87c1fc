"""Interruptions on recordings of about one reading a second: how many, of what, and whether anything severe
stayed silent. Figures are ``ward.evaluation.heard``'s; here are the words and pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from ward.evaluation.heard import JUDGED, Groups, Heard, figures_of, groups_of
from ward.evaluation.plots import Stretch, stretch, stretches
from ward.evaluation.section import Draw, Json, Progress, Section
from ward.evaluation.severe import CARRY, EVENTS, SMOOTH
from ward.lifetime import PROMPT
from ward.signals import HOUR, MINUTE

TITLE: Final = "Interruptions on recordings of every second"
TARGET_LOAD: Final = 3.0
"""interruptions a patient-day, at the most"""
TARGET_FEWER: Final = 0.97
"""of the crossings of single thresholds, at the least"""
AROUND: Final = 12 * MINUTE
"""Drawn before and after an interruption."""
CLOSE: Final = 6
"""Interruptions drawn close at the most."""


def run(folder: Path, *, seed: int, quick: bool, progress: Progress) -> Section:
    """``seed``: nothing here is drawn by lot. ``quick``: two recordings of each collection."""
    groups = groups_of(folder, quick=quick, progress=progress)
    return _section(groups, figures_of(groups)) if groups else Section(TITLE, _MISSING, {"missing": True})


def _section(groups: Groups, figures: Json) -> Section:
    heard = {h.recording.stay: h for packs in groups.values() for h in packs[JUDGED]}
    pictures: dict[str, Draw] = {}
    captions = []
    for stay in figures["calls"]:
        for name, caption, draw in _pictures(heard[stay]):
            pictures[name] = draw
            captions.append(f"![{caption}](images/alert-quality/{name}.svg)")
    for stay, calls in figures["calls"].items():
        for call in calls:
            call["seen"] = NOTES.get(stay, {}).get((call["rule"].partition(":")[0], round(call["min"])), "")
    figures = {"targets": _targets(figures), **figures}
    parts = [_HOW, _loads(figures["load"]), _severe(figures)]
    parts += ["### Every interruption, looked at"]
    parts += [_calls(stay, calls) for stay, calls in figures["calls"].items()]
    parts += [text for stay, text in SILENT.items() if stay in heard]
    return Section(TITLE, "\n\n".join([*parts, *captions]), figures, pictures)


# ---------------------------------------------------------------------- tables


def _loads(loads: Json) -> str:
    rows = [_LOAD_HEAD]
    for name, packs in loads.items():
        for pack, load in packs.items():
            rows.append(_load_row(name, pack, load))
    return "\n".join(rows)


_LOAD_HEAD: Final = (
    "| recordings | pack | monitored | crossings of single thresholds | alerts | **interruptions** "
    "| if nobody ever takes one | technical: alerts, interruptions | fewer than crossings |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def _load_row(name: str, pack: str, load: Json) -> str:
    def both(count: str) -> str:
        daily = f" ({load['a_day'][count]:,.1f} a day)" if load["a_day"] else ""
        return f"{load[count]:,}{daily}"

    fewer = "" if load["fewer"] is None else f"{load['fewer']:.2%}"
    return (
        f"| {name}: {load['recordings']} | `{pack}` | {load['patient_days']:.3f} days | {both('crossings')} "
        f"| {both('alerts')} | **{both('interruptions')}** | {both('interruptions_if_nobody_comes')} "
        f"| {both('technical_alerts')}, {both('technical_interruptions')} | {fewer} |"
    )


def _targets(figures: Json) -> list[Json]:
    targets = []
    for name, packs in figures["load"].items():
        load = packs[JUDGED]
        if load["a_day"]:
            body, aside = (load["a_day"][f"{kind}interruptions"] for kind in ("", "technical_"))
            targets.append(
                {
                    "what": f"interruptions a patient-day ({name})",
                    "target": f"≤ {TARGET_LOAD:g}",
                    "found": f"{body:g}; technical ones beside them {aside:g}, together {body + aside:.2f}",
                    "met": body <= TARGET_LOAD,
                    "why": "",
                }
            )
    every = [packs[JUDGED] for packs in figures["load"].values()]
    crossings, calls = (sum(load[name] for load in every) for name in ("crossings", "interruptions"))
    if crossings:
        fewer = 1 - calls / crossings
        targets.append(
            {
                "what": "fewer than crossings of single thresholds (recordings of every second)",
                "target": f"≥ {TARGET_FEWER:.0%}",
                "found": f"{fewer:.2%}: {calls} against {crossings:,}",
                "met": fewer >= TARGET_FEWER,
                "why": "",
            }
        )
    targets.append(
        {
            "what": "sustained severe events without an interruption (recordings of every second)",
            "target": "0",
            "found": f"{figures['silent']} of {len(figures['severe'])}",
            "met": not figures["silent"],
            "why": "",
        }
    )
    return targets


def _met(target: bool) -> str:
    return "met" if target else "missed"


def _severe(figures: Json) -> str:
    rows = []
    for event in figures["severe"]:
        after = event["first_interruption_s"]
        when = "**never**" if after is None else f"{after} s"
        when += " (told before it began)" if event["already"] else ""
        rule = f"`{event['rule']}`" if event["rule"] else ""
        span = f"{event['start_min']:.1f} to {event['end_min']:.1f} min"
        cells = (event["recording"], event["words"], span, f"{event['severe_after_s']} s", when, rule)
        rows.append(f"| {' | '.join(cells)} |")
    return (
        f"### Is anything severe silent?\n\n{_REFERENCE}\n\n"
        "| recording | what | when | severe after | first interruption after | by |\n"
        "|---|---|---|---|---|---|\n" + "\n".join(rows) + "\n\n"
        f"Sustained severe events without any interruption: **{figures['silent']}** of {len(rows)} "
        f"(target: 0, {_met(not figures['silent'])})."
    )


def _calls(stay: str, calls: list[Json]) -> str:
    rows = [
        f"| {_clock(c['min'])} | `{c['rule']}` | {c['priority']} | {c['reason']} | {c['seen']} |"
        for c in calls
    ]
    return (
        f"{stay}, pack `{JUDGED}`:\n\n| at | rule | priority | reason | what the plot shows |\n"
        "|---|---|---|---|---|\n" + "\n".join(rows)
    )


def _clock(minutes: float) -> str:
    return f"{int(minutes) // 60}:{int(minutes) % 60:02d} h"


# ---------------------------------------------------------------------- pictures


def _pictures(heard: Heard) -> Iterator[tuple[str, str, Draw]]:
    """(name, caption, drawing): the whole recording, and where it is long, close views."""
    stay = heard.recording.stay
    name = stay.lower().replace("_", "-")
    whole = Stretch(heard.recording, heard.prompt)
    text = f"{stay}: vital signs over time, alerts drawn in"
    yield f"timeline-{name}", text, partial(stretch, what=whole)
    calls = [c for c in heard.prompt.interruptions if c.kind == "physiological"][:CLOSE]
    if heard.recording.rows[-1] - heard.recording.time[0] > 2 * HOUR and calls:
        close = [Stretch(heard.recording, heard.prompt, c.at - AROUND, c.at + AROUND) for c in calls]
        text = f"{stay}: the minutes around each interruption"
        yield f"close-{name}", text, partial(stretches, columns=close)
    if stay in UNTOLD:
        silent = Stretch(heard.recording, heard.prompt, *UNTOLD[stay])
        text = f"{stay}: repeated desaturations of which no published rule tells"
        yield f"untold-{name}", text, partial(stretch, what=silent)


# ---------------------------------------------------------------------- words

_MISSING: Final = """Not run: the folder holds no recording of the MIMIC-IV Waveform Database
(`*n.csv.gz`) or of BIDMC (`bidmc_*_Numerics.csv`). Both are open: physionet.org/content/mimic4wdb/0.1.0 and
physionet.org/content/bidmc/1.0.0."""

_HOW: Final = f"""What a ward would have heard: the recording through the live engine, its breaches through
the live alert book (inhibition, episodes, technical alerts), and a model of the staff, who acknowledge every
alert {(PROMPT.acknowledge_after or 0) // MINUTE} min after it was told, as 'actionable'; beside it the other
extreme, nobody ever does. An interruption is the first alert of an episode, one of a higher priority, a high
one on another signal, or a high one that is back before anybody took it. Reminders and escalations, which
repeat an interruption until somebody comes, are not counted. The denominator is monitored time, in which at
least one signal was known. Technical interruptions are counted by themselves. Recordings of a few minutes
give counts and no rate: somebody chose those minutes for what is in them.

    ward replay FILE --pack default --summary --interruptions interruptions.jsonl"""

_REFERENCE: Final = f"""A reference that shares nothing with the engine, the filter or a pack
(`ward/evaluation/severe.py`) looks for them in the raw readings: a median over {SMOOTH} s beyond a limit and
not known to be within it meanwhile, where a reading speaks for {CARRY} s at most. A heart rate counts as low
unless the oximeter counts a pulse. The limits: {"; ".join(kind.words for kind in EVENTS)}. Times count from
an event's first second, when nobody can know yet that it will last; 'severe after' is when the reference
itself is sure."""

_ALL_OFF: Final = (
    "HR 0, and pulse, SpO2 and RR stop in the same seconds; all are back {} later. Most likely everything "
    "was taken off. In these signals an arrest looks the same, so it rings"
)
NOTES: Final[Mapping[str, Mapping[tuple[str, int], str]]] = {
    "86130599n": {
        ("hr-below-30", 1051): _ALL_OFF.format("2 min"),
        ("hr-below-30", 1239): _ALL_OFF.format("4 min"),
        ("hr-below-30", 1975): _ALL_OFF.format("80 s"),
        (
            "rr-up-to-5",
            1395,
        ): "RR falls from 22 to under 10 for 12 min, to 0 for up to 20 s at a time, SpO2 steady "
        "at 97: shallow breathing, or chest electrodes that miss it",
        ("rr-from-24", 1573): "true: RR 24 to 29 for 6 min while SpO2 sinks from 94 to 90",
        ("spo2-absent", 1956): "true: the oximeter's probe is off for 8 min",
        ("leads-off", 1604): "true: HR 0 for 128 s beside a pulse of 95: an electrode is off",
        ("no-valid-reading", 2381): "true: nothing comes for 8 min",
        ("spo2-absent", 2802): "true: the oximeter stays off until the recording ends",
    },
    "82284982n": {("spo2-below-80", 5): "true: SpO2 near 81 throughout, pulse 145, little perfusion"},
    "bidmc_13_Numerics": {
        (
            "rr-up-to-5",
            4,
        ): "RESP goes to 0 and stays there, SpO2 and HR steady: most likely the signal is lost; in "
        "numbers alone an apnoea begins the same way"
    },
}
"""By recording, then by rule and minute: what a person saw in the plot around an interruption."""

UNTOLD: Final[Mapping[str, tuple[int, int]]] = {"86130599n": (round(29.6 * HOUR), round(30.6 * HOUR))}
"""A stretch that rings no published rule and that a clinician would want to know of, ms."""
SILENT: Final[Mapping[str, str]] = {
    "86130599n": "What is silent in 86130599n and perhaps should not be: from 29.8 to 30.3 h breathing "
    "waxes and wanes with a period of about 90 s, and SpO2 falls to between 80 and 88 with each round, ten "
    "times in half an hour. No fall lasts, so no rule that wants a lasting one rings; below 88 it is 3.6 min "
    "of 30. WARD has published no rule for it.",
}
"""By recording: what is told to nobody and perhaps should be."""
