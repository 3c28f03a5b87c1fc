"""``ward report``: what alerts were worth, and whether wards are still what they were."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from ward.cli.common import say, settings_of
from ward.cli.data import existing_database, plain_database_errors

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from ward.config import Settings

app = typer.Typer(
    no_args_is_help=True,
    help="What alerts were worth by those who took them, and whether wards still are what they were.\n\n"
    "Reads the database of the settings; the service may run or not. No patient is named.",
)

drift_app = typer.Typer(
    no_args_is_help=True,
    help="The days with which a ward is compared. What differs: `ward report drift`.",
)

Format = Annotated[Literal["table", "json", "csv"], typer.Option("--format", help="How to print it.")]
Ward = Annotated[list[str] | None, typer.Option("--ward", help="Only this ward; may be repeated.")]
Start = Annotated[str | None, typer.Option(help="From this time on (RFC 3339, or a day: 2026-11-01).")]
Zone = Annotated[
    str | None,
    typer.Option(help="Days and hours are by clocks here, such as Europe/Copenhagen; by default the ward's."),
]
End = Annotated[str | None, typer.Option(help="Up to, not including; by default now.")]

COLUMNS: Final = {
    "rule": "rule",
    "priority": "priority",
    "group": "group",
    "alerts": "alerts",
    "alerts_per_patient_day": "a day",
    "interruptions": "interrupts",
    "interruptions_per_patient_day": "a day",
    "assessed": "assessed",
    "time_to_acknowledge_s": "taken after",
    "verdict": "assessed as",
}


@app.command()
def rules(
    ward: Ward = None,
    start: Annotated[
        str | None, typer.Option(help="From this time on (RFC 3339, or a day); by default 28 days ago.")
    ] = None,
    end: End = None,
    group: Annotated[
        Literal["none", "ward", "week"], typer.Option(help="Rows for each ward, or for each week.")
    ] = "none",
    zone: Zone = None,
    format_: Format = "table",
) -> None:
    """Each rule's alerts and interruptions per patient-day, and what share of them was worth it.

    ward report rules --ward 6A --start 2026-11-01 --group week

    The words say no more than the numbers: 'too few to tell (3 of 4 actionable)', 'at least 60 % actionable',
    'likely mostly artefact'. --format csv or json has all figures, with intervals.
    """
    from ward.reports import read

    with plain_database_errors():
        settings = settings_of()
        first, last = _time("--start", start), _time("--end", end)
        with existing_database(settings) as engine, engine.connect() as connection:
            _require_schema(connection)
            report = read.rules(
                connection,
                _now(connection, settings),
                start=first,
                end=last,
                wards=ward,
                group=group,
                in_real_time=settings.clock == "wall",
                zone=_zone(engine, settings, zone, ward),
            )
    if format_ == "json":
        typer.echo(json.dumps(report, indent=2))
    elif format_ == "csv":
        _print_csv(report["rules"])
    else:
        _print_report(report)


@app.command()
def week(
    output: Annotated[Path, typer.Option(help="Where the PDF goes.")],
    ward: Annotated[str | None, typer.Option(help="Only this ward.")] = None,
    start: Annotated[
        str | None,
        typer.Option(help="Its first day (2026-11-16); by default the last whole week's Monday."),
    ] = None,
    language: Annotated[
        Literal["da", "en", "nb"] | None, typer.Option(help="By default that of the settings.")
    ] = None,
    zone: Zone = None,
) -> None:
    """A week's alerts on a page or two, as PDF, for the meeting of those who set the rules.

    ward report week --ward 6A --zone Europe/Copenhagen --output week.pdf
    """
    from ward.clock import wall_ms
    from ward.reports import read
    from ward.reports.week import week_paper

    with plain_database_errors():
        settings = settings_of()
        with existing_database(settings) as engine, engine.connect() as connection:
            _require_schema(connection)
            now = _now(connection, settings)
            zone = _zone(engine, settings, zone, None if ward is None else [ward])
            first, last = read.week_of(_time("--start", start), None, zone, now)
            report = read.rules(
                connection,
                now,
                start=first,
                end=last,
                wards=None if ward is None else [ward],
                in_real_time=settings.clock == "wall",
                zone=zone,
            )
    pdf = week_paper(report, (first, last), ward, language or settings.language, zone, wall_ms())
    output.write_bytes(pdf)
    say(f"ward: {output}: {report['alerts']} alerts, {report['interruptions']} interruptions")


@app.command()
def drift(ward: Ward = None, format_: Format = "table") -> None:
    """Whether values, scores and alerts of the last days are those of a ward's reference, judged by patients.

    chance: how far a difference is beyond what chance makes of as many patients; size: from 1 on it matters.
    Where both are 1 or more it differs; what lasts for days is told as a low technical alert.
    """
    from ward.reports import read

    with plain_database_errors():
        settings = settings_of()
        with existing_database(settings) as engine, engine.connect() as connection:
            _require_schema(connection)
            now = _now(connection, settings)
            found = read.drift(connection, now, settings.drift_reference_days, ward)
    wards = [read.drift_view(name, *each) for name, each in found.items()]
    if format_ == "json":
        typer.echo(json.dumps({"items": wards}, indent=2))
    elif format_ == "csv":
        _print_csv({"ward": each["ward"], **one} for each in wards for one in each["findings"])
    else:
        for each in wards:
            _print_ward(each)


def _print_ward(each: Mapping[str, Any]) -> None:
    reference = each["reference"]
    if reference is None or each["state"] == "collecting":
        typer.echo(f"{each['ward']}: not enough days yet to compare")
        return
    by = f", chosen by {reference['by']}" if reference["by"] else ""
    span = f"{reference['start'][:10]} to {reference['end'][:10]}{by}"
    if each["state"] == "quiet":
        typer.echo(f"{each['ward']}: nothing was watched lately; the reference is {span}")
        return
    typer.echo(
        f"{each['ward']}: up to {each['until'][:10]}, worth {each['patients']:g} patients in the last week; "
        f"reference {span}, worth {reference['patients']:g}"
    )
    for words in each["differs"] or ["nothing differs for days"]:
        typer.echo(f"  {words}")
    head = ["", "what", "days", "reference", "now", "chance", "size", ""]
    rows = [
        ["", f"{one['what']} {one['aspect']}", *(_cell(one[name]) for name in head[2:7]), _mark(one)]
        for one in each["findings"]
    ]
    print_table(head, rows)


def _mark(one: Mapping[str, Any]) -> str:
    return "differs, for days" if one["lasting"] else "differs" if one["differs"] else ""


@drift_app.command("reference")
def reference(
    ward: Annotated[str, typer.Option(help="Of this ward.")],
    start: Annotated[str, typer.Option(help="Its first day (2026-11-01, UTC).")],
    end: Annotated[str, typer.Option(help="The day after its last.")],
) -> None:
    """Compare a ward with these days from now on: when a change was meant, or its first days were unusual.

    ward drift reference --ward 6A --start 2026-11-01 --end 2026-11-15

    The running service goes by it within ten minutes. What was chosen before is kept.
    """
    from ward.cli.common import operator, record
    from ward.clock import wall_ms
    from ward.errors import InvalidError
    from ward.store.tallies import Baseline, put_baseline

    with plain_database_errors():
        first, last = _time("--start", start), _time("--end", end)
        assert first is not None
        assert last is not None
        settings = settings_of()
        with existing_database(settings) as engine:
            with engine.begin() as tx:
                _require_schema(tx)
                if last > _now(tx, settings):
                    raise InvalidError(f"--end {end}: days that are not over are no reference")
                put_baseline(tx, Baseline(ward, first, last, operator(), wall_ms()))
            record(engine, "drift.reference", f"ward:{ward}", start=start, end=end)
    say(f"ward: {ward} is compared with {start} to {end}")


def _require_schema(connection: Connection) -> None:
    """Raises InvalidError for a database that has not been brought up to date."""
    from ward.errors import InvalidError
    from ward.store import schema

    if (now := schema.require_usable(connection)) is None or now < schema.newest():
        said = f"the database has schema {now or 'none'}; see `ward database upgrade`, or start the service"
        raise InvalidError(said)


def _now(connection: Connection, settings: Settings) -> int:
    """The ward's time: in a replay, about that of the last thing that happened."""
    from sqlalchemy import func, select

    from ward.clock import wall_ms
    from ward.store.tables import events

    if settings.clock == "wall":
        return wall_ms()
    return int(connection.scalar(select(func.max(events.c.at))) or wall_ms())


def _zone(engine: Engine, settings: Settings, asked: str | None, wards: list[str] | None) -> str:
    """As asked, else of the one ward, else of the house."""
    from ward.live.plans import load_plans

    if asked is not None:
        return asked
    plans, _ = load_plans(engine, settings.plan_file, settings.zone)
    return plans.of(wards[0] if wards and len(wards) == 1 else "").zone


def _time(option: str, text: str | None) -> int | None:
    from ward.errors import InvalidError
    from ward.web.schemas.common import to_ms

    if text is None:
        return None
    try:
        return to_ms(f"{text}T00:00:00Z" if len(text) == 10 else text)
    except ValueError as error:
        raise InvalidError(f"{option} {text}: {error}, or a day") from None


def _print_csv(rows: Iterable[Mapping[str, Any]]) -> None:
    from ward.reports.table import as_csv

    sys.stdout.write(as_csv(rows))


def _print_report(report: Mapping[str, Any]) -> None:
    per_day = report["interruptions_per_patient_day"]
    typer.echo(
        f"{report['start']} to {report['end']}: {report['stays']} stays, {report['patient_days']} "
        f"patient-days, {report['alerts']} alerts, {report['interruptions']} interruptions"
        + ("" if per_day is None else f" ({per_day:g} a patient and day)")
    )
    for note in report["notes"]:
        typer.echo(f"note: {note}")
    rows = report["rules"]
    shown = [name for name in COLUMNS if name != "group" or report["groups"]]
    print_table([COLUMNS[name] for name in shown], [[_cell(row[name]) for name in shown] for row in rows])


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as what is in them; the last as long as it is."""
    if not rows:
        return
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    for row in (head, *rows):
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, dict):
        return f"{value['median']:.0f} s"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
