"""Commands on files: recordings and rows of observations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from ward.cli.common import plain_errors, say

app = typer.Typer()

FORMATS: Final = "csv, cinc2019, bidmc or mimic4wdb; by default the header decides"


@app.command()
def replay(
    files: Annotated[list[Path], typer.Argument(help="Recordings, or folders of them.", exists=True)],
    pack: Annotated[str, typer.Option(help="default, ward-rct-2025 or a TOML file.")] = "default",
    hold: Annotated[
        list[str] | None, typer.Option(help="Hold of a signal, e.g. hr=90s; may be repeated.")
    ] = None,
    filter_: Annotated[bool, typer.Option("--filter/--no-filter", help="Sort out artefacts first.")] = True,
    format_: Annotated[str | None, typer.Option("--format", help=FORMATS)] = None,
    output: Annotated[
        Path | None, typer.Option(help="Events as JSON lines; by default to standard output.")
    ] = None,
    scores: Annotated[
        Path | None, typer.Option(help="Also write NEWS2 and risk over time to this CSV file.")
    ] = None,
    every: Annotated[str, typer.Option(help="Step of --scores.")] = "1h",
    summary: Annotated[
        bool, typer.Option(help="Also tell crossings, readings, alerts and interruptions per day.")
    ] = False,
    interruptions: Annotated[
        Path | None,
        typer.Option(help="Also write when staff would have been interrupted, and why, as JSON lines."),
    ] = None,
    risk_model: Annotated[
        str, typer.Option(help="default, none or a .skops file.", envvar="WARD_RISK_MODEL")
    ] = "default",
) -> None:
    """Recordings through the very engine that runs live: what would have been raised, and when."""
    from ward.replay_files import replay_files

    with plain_errors():
        replay_files(
            files,
            pack=pack,
            holds=hold or [],
            filtered=filter_,
            format=format_,
            output=output,
            scores=scores,
            every=every,
            summary=summary,
            interruptions=interruptions,
            risk_model=risk_model,
            say=say,
        )


@app.command()
def score(
    file: Annotated[
        Path, typer.Argument(help="CSV with rr,spo2,spo2_scale,oxygen,sbp,hr,consciousness,temp.")
    ],
    output: Annotated[Path | None, typer.Option(help="By default to standard output.")] = None,
) -> None:
    """NEWS2 of rows of observations: the same rows with score, sub-scores and risk."""
    from ward.score_file import score_file

    with plain_errors():
        score_file(file, output)
