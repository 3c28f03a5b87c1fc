"""The command line. Each command imports what it needs when it runs, so that ``--help`` is quick."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ward.cli import (
    audit,
    channels,
    data,
    devices,
    learning,
    offline,
    patient,
    plans,
    reports,
    running,
    tokens,
    trial,
    users,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="ward watches over patients on hospital wards: every reading durable, few alerts, nothing true "
    "lost.\n\n"
    "Start with `ward demo`. Settings come from ward.toml and WARD_* (see `ward config`).",
)
for commands in (running, offline, trial, learning, data):
    app.add_typer(commands.app)
app.add_typer(users.app, name="user")
app.add_typer(tokens.app, name="token")
app.add_typer(audit.app, name="audit")
app.add_typer(data.database_app, name="database")
app.add_typer(patient.app, name="patient")
app.add_typer(devices.app, name="device")
app.add_typer(channels.app, name="channel")
app.add_typer(plans.app, name="plan")
app.add_typer(reports.app, name="report")
app.add_typer(reports.drift_app, name="drift")


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        from ward import __version__

        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    try:
        app()
    except BrokenPipeError:  # the reader of a pipe had enough
        sys.stderr.close()
        raise SystemExit(0) from None
