"""The downtime sheet: the ward as it was when the service last knew, with room to go on by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ward.language import Language, capital, in_language, number
from ward.reports.paper import Cell, Column, Foot, Paper
from ward.reports.sheet_words import WORDS, date, moment, ms_of

_SIGNALS: Final = (
    ("hr", "HR", ""), ("pr", "Puls", ""), ("spo2", "SpO₂", " %"), ("rr", "RR", ""), ("sbp", "BP", ""),
    ("temp", "T", " °C"),
)  # fmt: skip
_SHOWN: Final = ("active", "acknowledged", "returned", "shelved")
_SHORT: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {"HR": "HR", "Puls": "Pulse", "RR": "RR", "BP": "BP"},
    "da": {"HR": "HF", "Puls": "Puls", "RR": "RF", "BP": "BT"},
    "nb": {"HR": "HF", "Puls": "Puls", "RR": "RF", "BP": "BT"},
}


def sheet(ward: str, stays: Iterable[Mapping[str, Any]], zone: str, language: Language, now: int) -> bytes:
    """A PDF of the stays' views as the dashboards have them. ``now``: ms; ``zone``: the ward's clock."""
    say = WORDS[language]
    time = f"{date(zone, now)} {moment(zone, now, now)}"
    foot = Foot(say["note"].format(time=time), say["page"])
    paper = Paper(say["downtime"], f"{say['ward'].format(ward=ward)} · {time}", foot, now, landscape=True)
    paper.text_line(say["as_of"].format(time=time), bold=True)
    columns = [
        Column(say["bed"], 0.7),
        Column(say["patient"], 1.5),
        Column(say["nurse"], 1.3),
        Column(say["values"], 2.6),
        Column(say["news2"], 0.9),
        Column(say["open"], 3.2),
        Column(say["write"], 2.6),
    ]
    listed = sorted(stays, key=lambda stay: (len(stay["bed"]), stay["bed"]))
    paper.grid(columns, [_row(stay, zone, language, now) for stay in listed], size=8.0)
    return paper.pdf()


def _row(stay: Mapping[str, Any], zone: str, language: Language, now: int) -> list[str | Cell]:
    say = WORDS[language]
    who = [stay["patient_ref"] or "", ", ".join(stay["flags"])]
    if stay["paused_until"]:
        who.append(say["away"].format(time=moment(zone, stay["paused_until"], now)))
    carer = stay["carer"]["name"] if stay["carer"] else say["nobody"]
    alerts = [a for a in stay["alerts"] if a["state"] in _SHOWN]
    lines = [
        f"{say[a['priority']]}: {in_language(a['title'], a.get('titles') or {}, language)}, "
        f"{moment(zone, a['raised_at'], now)}"
        for a in alerts
    ]
    urgent = any(a["priority"] == "high" and a["kind"] == "physiological" for a in alerts)
    return [
        Cell(stay["bed"], bold=True),
        "\n".join(filter(None, who)),
        Cell(carer, bold=stay["carer"] is None),
        " · ".join(_values(stay["signals"], zone, language, now)) or say["unknown"],
        _news2(stay["news2"], say),
        Cell("\n".join(lines), bold=urgent) if lines else Cell(say["none"], quiet=True),
        "\n\n",
    ]


def _values(signals: Mapping[str, Any], zone: str, language: Language, now: int) -> list[str]:
    """Each with its clock time: on paper an age would grow older unseen."""
    found = []
    for name, label, unit in _SIGNALS:
        shown = signals.get(name)
        if shown is None or shown["value"] is None or (name == "pr" and "hr" in signals):
            continue
        value = number(round(float(shown["value"]), 1), language)
        if name == "sbp" and (dbp := signals.get("dbp")) and dbp["value"] is not None:
            value += f"/{number(round(float(dbp['value'])), language)}"
        doubted = " ?" if shown["state"] == "questionable" else ""
        time = moment(zone, ms_of(shown["time"]), now)
        found.append(f"{capital(_SHORT[language].get(label, label))} {value}{unit}{doubted} ({time})")
    return found


def _news2(news2: Mapping[str, Any] | None, say: Mapping[str, str]) -> str:
    if news2 is None or (news2["score"] is None and not news2.get("not_applicable")):
        return say["unknown"]
    if news2.get("not_applicable"):
        return say[news2["not_applicable"]]
    return f"{news2['score']}{'+' if news2['partial'] else ''}"
