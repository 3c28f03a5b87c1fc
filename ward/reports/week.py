"""The alert report on paper: a page or two for the week's meeting. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from ward.language import Language, in_language, number
from ward.reports.paper import Cell, Column, Foot, Paper
from ward.reports.rules import caution_words
from ward.reports.shares import Verdict, percent
from ward.zones import day_text, local

Json = Mapping[str, Any]
RULES_SHOWN: Final = 20
BEDS_SHOWN: Final = 10
_DASH: Final = "–"
_CHART: Final = 26.0
"""mm, the height of the chart of hours."""


class Words(NamedTuple):
    """What the paper says, in one language."""

    title: str
    all_wards: str
    foot: str
    page: str
    span: str
    interruptions: str
    alerts: str
    per_day: str
    patient_days: str
    patients: str
    assessed: str
    assessments: Mapping[str, str]
    top_tenth: str
    by_priority: str
    priority: str
    priorities: Mapping[str, str]
    taken: str
    by_rule: str
    rule: str
    verdict: str
    by_hour: str
    hours: str
    by_bed: str
    bed: str
    more: str
    nothing: str
    notes: str


WORDS: Final[Mapping[Language, Words]] = {
    "en": Words(
        "Alert report", "all wards", "Made by ward. No patient is named.", "page {page} of {pages}",
        "{start} to {end}", "Interruptions", "Alerts", "a patient and day", "Patient-days", "Patients",
        "Assessed", {"actionable": "actionable", "not_actionable": "not actionable", "artefact": "artefact"},
        "The tenth of the patients with the most alerts had {share} of them.",
        "By priority", "Priority", {"high": "high", "medium": "medium", "low": "low"},
        "Taken after (median, nine of ten)", "By rule", "Rule", "Assessed as", "By hour of the day",
        "Interruptions (dark, with their number) and alerts (light)", "By bed", "Bed",
        "{count} more are in the dashboard and in the CSV.", "No alert in this time.", "Notes",
    ),
    "da": Words(
        "Alarmrapport", "alle afsnit", "Lavet af ward. Ingen patient er nævnt.", "side {page} af {pages}",
        "{start} til {end}", "Forstyrrelser", "Alarmer", "pr. patient og døgn", "Patientdøgn", "Patienter",
        "Vurderet",
        {"actionable": "krævede handling", "not_actionable": "krævede ikke handling", "artefact": "artefakt"},
        "Den tiendedel af patienterne, der havde flest alarmer, havde {share} af dem.",
        "Efter prioritet", "Prioritet", {"high": "høj", "medium": "middel", "low": "lav"},
        "Kvitteret efter (median, ni af ti)", "Efter regel", "Regel", "Vurderet som", "Efter døgnets timer",
        "Forstyrrelser (mørk, med antal) og alarmer (lys)", "Efter seng", "Seng",
        "{count} mere findes på tavlen og i CSV-filen.", "Ingen alarm i dette tidsrum.", "Bemærkninger",
    ),
    "nb": Words(
        "Alarmrapport", "alle poster", "Laget av ward. Ingen pasient er nevnt.", "side {page} av {pages}",
        "{start} til {end}", "Forstyrrelser", "Alarmer", "per pasient og døgn", "Pasientdøgn", "Pasienter",
        "Vurdert",
        {"actionable": "krevde handling", "not_actionable": "krevde ikke handling", "artefact": "artefakt"},
        "Den tidelen av pasientene som hadde flest alarmer, hadde {share} av dem.",
        "Etter prioritet", "Prioritet", {"high": "høy", "medium": "middels", "low": "lav"},
        "Kvittert etter (median, ni av ti)", "Etter regel", "Regel", "Vurdert som", "Etter døgnets timer",
        "Forstyrrelser (mørk, med antal) og alarmer (lys)", "Etter seng", "Seng",
        "{count} flere finnes på tavlen og i CSV-filen.", "Ingen alarm i dette tidsrommet.", "Merknader",
    ),
}  # fmt: skip


def week_paper(
    report: Json, span: tuple[int, int], ward: str | None, language: Language, zone: str, made: int
) -> bytes:
    """The PDF of a report (``ward.reports.read.rules``) of ``span`` (ms) in one ward (None: in all), with the
    days of ``zone``; ``made``: ms."""
    words = WORDS[language]
    paper = Paper(words.title, ward or words.all_wards, Foot(words.foot, words.page), made)
    start, end = (_day(at, zone, language) for at in (span[0], span[1] - 1))
    paper.text_line(words.span.format(start=start, end=end), bold=True)
    head = (words.interruptions, words.alerts, words.patient_days, words.patients, words.assessed)
    paper.grid(_columns(head), [_headline(report, words, language)], size=10)
    if (share := report["top_tenth_share"]) is not None:
        paper.text_line(words.top_tenth.format(share=percent(share)), quiet=True)
    if report["cautions"]:
        paper.heading(words.notes)
        for caution in report["cautions"]:
            paper.text_line(caution_words(caution, language))
    if not report["rules"]:
        paper.text_line(words.nothing)
        return paper.pdf()
    _priorities(paper, report, words, language)
    _hours(paper, report["hours"], words)
    _rules(paper, report["rules"], words, language)
    _beds(paper, report["beds"], words)
    return paper.pdf()


def _headline(report: Json, words: Words, language: Language) -> list[Cell]:
    said = "\n".join(f"{words.assessments[name]}: {n}" for name, n in report["assessments"].items() if n)
    return [
        Cell(
            f"{_figure(report[f'{name}_per_patient_day'], language)} {words.per_day} ({report[name]})",
            bold=bold,
        )
        for name, bold in (("interruptions", True), ("alerts", False))
    ] + [
        Cell(_figure(report["patient_days"], language)),
        Cell(str(report["stays"])),
        Cell(f"{report['assessed']}\n{said}"),
    ]


def _priorities(paper: Paper, report: Json, words: Words, language: Language) -> None:
    paper.heading(words.by_priority)
    paper.grid(
        _columns((words.priority, words.interruptions, words.per_day, words.alerts, words.taken)),
        [
            [
                Cell(words.priorities[row["priority"]], bold=True),
                str(row["interruptions"]),
                _figure(row["interruptions_per_patient_day"], language),
                str(row["alerts"]),
                _spread(row["time_to_acknowledge_s"]),
            ]
            for row in report["priorities"]
        ],
    )


def _rules(paper: Paper, rows: Sequence[Json], words: Words, language: Language) -> None:
    paper.heading(words.by_rule, room=45)
    columns = (
        Column(words.rule, 5.2),
        Column(words.priority, 1.4),
        Column(words.interruptions, 1.9, "RIGHT"),
        Column(words.per_day, 1.7, "RIGHT"),
        Column(words.alerts, 1.3, "RIGHT"),
        Column("", 0.3),
        Column(words.verdict, 4.0),
    )
    paper.grid(
        columns,
        [
            [
                Cell(in_language(row["title"], row["titles"], language), bold=True),
                words.priorities[row["priority"]],
                str(row["interruptions"]),
                _figure(row["interruptions_per_patient_day"], language),
                str(row["alerts"]),
                "",
                _verdict(row, language),
            ]
            for row in rows[:RULES_SHOWN]
        ],
        size=8,
    )
    if len(rows) > RULES_SHOWN:
        paper.text_line(words.more.format(count=len(rows) - RULES_SHOWN), quiet=True)


def _beds(paper: Paper, rows: Sequence[Json], words: Words) -> None:
    paper.heading(words.by_bed, room=45)
    paper.grid(
        _columns((words.bed, words.interruptions, words.alerts, words.patients)),
        [
            [Cell(f"{row['ward']} {row['bed']}", bold=True)]
            + [Cell(str(row[name])) for name in ("interruptions", "alerts", "patients")]
            for row in rows[:BEDS_SHOWN]
        ],
    )
    if len(rows) > BEDS_SHOWN:
        paper.text_line(words.more.format(count=len(rows) - BEDS_SHOWN), quiet=True)


def _hours(paper: Paper, rows: Sequence[Json], words: Words) -> None:
    """Bars over the day, the darker one before the lighter one."""
    paper.heading(words.by_hour, room=_CHART + 20)
    paper.text_line(words.hours, quiet=True)
    most = max(max(row["alerts"], row["interruptions"]) for row in rows) or 1
    wide, top, left = paper.epw / len(rows), paper.get_y() + 4, paper.l_margin
    paper.set_font_size(7)
    for row in rows:
        x = left + row["hour"] * wide
        for name, grey in (("alerts", 190), ("interruptions", 60)):
            high = _CHART * row[name] / most
            paper.set_fill_color(grey)
            paper.rect(x + 0.6, top + _CHART - high, wide - 1.2, high, style="F")
        paper.text(x + 0.8, top + _CHART + 3.4, f"{row['hour']:02}")
        if row["interruptions"]:
            high = _CHART * max(row["alerts"], row["interruptions"]) / most
            paper.text(x + 0.8, top + _CHART - high - 0.8, str(row["interruptions"]))
    paper.set_fill_color(255)
    paper.set_y(top + _CHART + 6)


def _columns(titles: Sequence[str]) -> list[Column]:
    return [Column(title, 1) for title in titles]


def _verdict(row: Json, language: Language) -> str:
    said = row["judgement"]
    count = row["actionable"]["count"]
    return Verdict(
        said["kind"], count, row["assessed"], row["assessed_patients"], said["low"], said["high"]
    ).words(language)


def _spread(found: Json | None) -> str:
    if found is None:
        return _DASH
    return ", ".join(_minutes(found[name]) for name in ("median", "p90"))


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _figure(value: float | None, language: Language) -> str:
    return _DASH if value is None else number(round(value, 2), language)


def _day(at: int, zone: str, language: Language) -> str:
    text = day_text(local(zone, at)[0])
    year, month, day = text.split("-")
    return text if language == "en" else f"{int(day)}.{int(month)}.{year}"
