"""Trials on recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ward.cli.common import plain_errors, say
from ward.cli.offline import FORMATS

app = typer.Typer()


@app.command()
def trial(
    files: Annotated[list[Path], typer.Argument(help="Recordings, or folders of them.", exists=True)],
    pack: Annotated[
        str | None, typer.Option(help="Rules to try: default, ward-rct-2025 or a TOML file.")
    ] = None,
    against: Annotated[str, typer.Option(help="What is in force, to compare with.")] = "default",
    grid: Annotated[
        str | None,
        typer.Option(
            help="One rule over thresholds × durations: 'spo2-below-88: 84..92 × 1m,5m,10m'; steps as in "
            "100..120/5; the rule's id alone tries what is around it. Where a rule compares several signals, "
            "name one: 'rr-up-to-5 rr: 4..8 × 1m,2m'."
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            help="Events that should have been heard of: a CSV file with stay,time, or 'sepsis' for what "
            "files of the Challenge 2019 say. Without it sustained severe events stand in."
        ),
    ] = None,
    window: Annotated[str, typer.Option(help="An alert so long before an event was about it.")] = "12h",
    after: Annotated[str, typer.Option(help="Alerts so long after an event count neither way.")] = "12h",
    suggest: Annotated[
        str | None,
        typer.Option(
            help="Suggest a setting for at most so many: '3/day' (alerts) or '3 interruptions/day'."
        ),
    ] = None,
    hold: Annotated[
        list[str] | None, typer.Option(help="Hold of a signal, e.g. hr=90s; may be repeated.")
    ] = None,
    format_: Annotated[str | None, typer.Option("--format", help=FORMATS)] = None,
    risk_model: Annotated[
        str, typer.Option(help="default, none or a .skops file.", envvar="WARD_RISK_MODEL")
    ] = "default",
    output: Annotated[
        list[Path] | None,
        typer.Option(
            help="Also write .json (all figures), .csv (a row a setting) or .svg (load against recall); may "
            "be repeated."
        ),
    ] = None,
) -> None:
    """Other rules over recordings, by the engine that runs live: load, gained and lost alerts, recall, delay.

    `ward trial FILES --pack new.toml` compares a pack with what is in force; `--grid` tries one rule at many
    thresholds and durations at once. Nothing is changed. Over a service's own history: POST /rules/trial.
    """
    from ward.trial.files import trial_files

    with plain_errors():
        try:
            printed = trial_files(
                files,
                pack=pack,
                against=against,
                grid=grid,
                labels=labels,
                window=window,
                after=after,
                suggest=suggest,
                holds=hold or [],
                format=format_,
                risk_model=risk_model,
                output=output or [],
                say=say,
            )
        except KeyboardInterrupt:
            say("ward: stopped; nothing was written")
            raise typer.Exit(130) from None
    typer.echo("\n".join(printed))
