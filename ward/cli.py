"""The command line. Each command imports what it needs when it runs, so that ``--help`` is quick."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ward.errors import WardError

if TYPE_CHECKING:
    from ward.config import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="ward watches over patients on hospital wards: every reading durable, few alerts, nothing true "
    "lost.\n\n"
    "Start with `ward demo`. Settings come from ward.toml and WARD_* (see `ward config`).",
)
token_app = typer.Typer(no_args_is_help=True, help="Tokens by which people and programs come in.")
app.add_typer(token_app, name="token")

FORMATS: Final = "csv, cinc2019, bidmc or mimic4wdb; by default the header decides"


def say(text: str) -> None:
    """To standard error: standard output is for results."""
    typer.echo(text, err=True)


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """What a user did wrong is told in a line, without a trace."""
    try:
        yield
    except WardError as error:
        say(f"ward: {error.detail}")
        raise typer.Exit(2) from None


def settings_of(**given: Any) -> Settings:
    from ward.config import load_settings

    return load_settings(**given)[0]


@app.command()
def demo(
    speed: Annotated[
        float, typer.Option(help="How much faster than life the ward runs.", min=1, max=600)
    ] = 60,
    beds: Annotated[int, typer.Option(help="Beds of the simulated ward.", min=1, max=500)] = 24,
    recording: Annotated[
        Path | None, typer.Option(help="A real recording for the first bed.", exists=True, dir_okay=False)
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same ward.")] = 1,
    data_dir: Annotated[
        Path | None, typer.Option(help="Keep the data here; by default they go at the end.")
    ] = None,
    http_port: Annotated[int | None, typer.Option(help="Port of the dashboard.")] = None,
) -> None:
    """A living ward on this machine: broker, simulated patients, service and dashboard.

    Nothing else needs to be installed. Prints a link that logs your browser in; Ctrl-C ends it all.
    """
    from ward.demo import run_demo

    with plain_errors():
        run_demo(
            speed=speed, beds=beds, recording=recording, seed=seed, data_dir=data_dir, http_port=http_port
        )


@app.command()
def serve() -> None:
    """The service, configured by ward.toml and WARD_* (see `ward config`)."""
    from ward.server import serve as run

    with plain_errors():
        run(settings_of())


@app.command()
def simulate(
    broker: Annotated[str | None, typer.Option(help="mqtt://host:port; by default WARD_MQTT_URL.")] = None,
    beds: Annotated[int, typer.Option(min=1, max=10_000)] = 24,
    seed: Annotated[int, typer.Option(help="The same seed gives the same ward.")] = 1,
    speed: Annotated[float, typer.Option(help="How much faster than life.", min=0.1, max=3600)] = 1,
    origin: Annotated[
        int | None,
        typer.Option(help="ms since 1970 at which a replay began; goes with --speed.", hidden=True),
    ] = None,
    hours: Annotated[
        float | None, typer.Option(help="How long, in the ward's time; by default for ever.")
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="Write the true courses and faults here (JSON lines).")
    ] = None,
    faults: Annotated[bool, typer.Option(help="Probes that fall off, motion, lost messages …")] = True,
) -> None:
    """A simulated ward against any broker: patients, devices and what goes wrong with them.

    Admit its beds with `ward simulate --help` at hand: their devices are named in the truth file.
    """
    from simulator.run import Simulation
    from simulator.ward_plan import plan_ward
    from ward.clock import ReplayClock, WallClock, wall_ms

    with plain_errors():
        plan = plan_ward(seed, beds, faults=faults)
        clock = WallClock() if speed == 1 else ReplayClock(origin if origin is not None else wall_ms(), speed)
        simulation = Simulation(
            plan,
            url=broker or settings_of().mqtt_url,
            clock=clock,
            duration_ms=None if hours is None else round(hours * 3_600_000),
            truth=truth,
        )
        say(f"ward: {beds} beds, seed {seed}, {speed:g} times life; Ctrl-C ends it")
        with contextlib.suppress(KeyboardInterrupt):
            simulation.run()
        simulation.stop()


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
    scores: Annotated[Path | None, typer.Option(help="Also write NEWS2 over time to this CSV file.")] = None,
    every: Annotated[str, typer.Option(help="Step of --scores.")] = "1h",
    summary: Annotated[bool, typer.Option(help="Also tell crossings, readings and alerts per day.")] = False,
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


@app.command()
def config(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """The settings in force and where each comes from, secrets masked."""
    from ward.config import Settings, load_settings, mask

    with plain_errors():
        settings, sources = load_settings()
    rows = {
        name: {
            "value": mask(name, getattr(settings, name)),
            "source": sources[name],
            "what": info.description,
        }
        for name, info in Settings.model_fields.items()
    }
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    for name, row in rows.items():
        value = "-" if row["value"] is None else row["value"]
        typer.echo(f"{name:20} {value!s:32} {row['source']:34} {row['what']}")


@token_app.command("create")
def token_create(
    role: Annotated[str, typer.Option(help="nurse, clinician, admin or integration")],
    name: Annotated[str, typer.Option(help="Whose it is, as the log will call them.")],
    ward: Annotated[
        list[str] | None, typer.Option(help="Only this ward; may be repeated. A nurse needs one.")
    ] = None,
    days: Annotated[
        float | None, typer.Option(help="Valid for so many days; by default until revoked.", min=0.001)
    ] = None,
) -> None:
    """Print a new token, once: only its hash is kept."""
    from ward.clock import wall_ms
    from ward.config import prepare_data_dir
    from ward.store.database import migrate, open_database
    from ward.web.identity import create_token

    with plain_errors():
        settings = settings_of()
        if settings.database_url is None:
            prepare_data_dir(settings.data_dir)
        database = open_database(settings.database)
        migrate(database)
        now = wall_ms()
        expires = None if days is None else now + round(days * 86_400_000)
        _, secret = create_token(database, name=name, role=role, wards=ward, expires=expires, now=now)
        typer.echo(secret)


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
