"""Commands that run something: the demo, the service, a simulated ward."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Annotated

import typer

from ward.cli.common import plain_errors, say, settings_of

app = typer.Typer()


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
def engine(
    partitions: Annotated[str, typer.Option(help="Which partitions' wards it watches, such as 0-3,6.")] = "",
    standby: Annotated[
        str, typer.Option(help="Which it takes over when another engine fails, such as 4-7.")
    ] = "",
    of: Annotated[int | None, typer.Option(help="How many there are; by default WARD_PARTITIONS.")] = None,
    only: Annotated[int | None, typer.Option(hidden=True, help="Be the process of one.")] = None,
    second: Annotated[bool, typer.Option("--second", hidden=True)] = False,
) -> None:
    """The service for a part of the wards, one process a partition, beside other engines on one PostgreSQL.

    Each partition answers at a port of its own: WARD_HTTP_PORT plus its number.
    """
    from ward.engines import run_all, run_one
    from ward.partitions import numbers

    with plain_errors():
        settings = settings_of(partitions=of)
        if only is not None:
            run_one(settings, only, second=second)
            return
        mine, others = (numbers(text, settings.partitions) if text else [] for text in (partitions, standby))
        run_all(settings, mine, others)


@app.command()
def web() -> None:
    """Dashboard and API before the engines of a cluster; any number of them.

    Needs WARD_PARTITIONS, WARD_CLUSTER_SECRET and WARD_DATABASE_URL as the engines have them.
    """
    from ward.cluster.serving import run_web

    with plain_errors():
        run_web(settings_of())


@app.command()
def notify() -> None:
    """Carries a cluster's alerts to people (webhooks, pagers, mail, MQTT). Any number; none tells twice.

    Engines leave it to them with WARD_NOTIFY=elsewhere; without that they send too, which does no harm.
    Only these processes then need a way out to the channels. What nobody could be told goes back to the
    engine that has the alert, which tells the next level. Notices on dashboards stay the engines'.

    Needs WARD_PARTITIONS, WARD_CLUSTER_SECRET, WARD_DATABASE_URL, WARD_PLAN_FILE and WARD_CHANNELS_FILE as
    the others have them, and WARD_MQTT_URL where a channel goes through the broker. Answers /healthz,
    /readyz and /metrics at WARD_HTTP_PORT. While none of them is there no engine is ready, and says so.
    """
    from ward.cluster.carrying import run_notify

    with plain_errors():
        run_notify(settings_of())


@app.command()
def work() -> None:
    """Takes parts of a cluster's trials, so that several machines try a year of a hospital. Any number, one a
    core; each has the machine's leisure only.

    Needs WARD_PARTITIONS and WARD_DATABASE_URL as the others have them, and nothing else.
    """
    from ward.cluster.working import run_work

    with plain_errors():
        run_work(settings_of())


@app.command()
def simulate(
    broker: Annotated[str | None, typer.Option(help="mqtt:// or mqtts://; by default WARD_MQTT_URL.")] = None,
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
        settings = settings_of()
        simulation = Simulation(
            plan,
            url=broker or settings.mqtt_url,
            ca_file=None if settings.mqtt_ca_file is None else str(settings.mqtt_ca_file),
            clock=clock,
            duration_ms=None if hours is None else round(hours * 3_600_000),
            truth=truth,
        )
        say(f"ward: {beds} beds, seed {seed}, {speed:g} times life; Ctrl-C ends it")
        with contextlib.suppress(KeyboardInterrupt):
            simulation.run()
        simulation.stop()


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
        typer.echo(f"{name:25} {value!s:32} {row['source']:34} {row['what']}")
    from ward.store.retention import KINDS

    typer.echo("\nWhat is kept how long (docs/operations.md):")
    for kind in KINDS:
        typer.echo(f"{kind.name:20} {getattr(settings, kind.setting):g} days  {kind.what}")
