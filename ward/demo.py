"""``ward demo``: a living ward on one machine, with nothing installed beside it, nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import tempfile
import threading
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import typer

from ward.clock import wall_ms
from ward.config import Settings, SettingsError, load_settings, prepare_data_dir
from ward.ingest.broker import BrokerError, EmbeddedBroker
from ward.server import check_port, end_on_term, http_server, set_up_log
from ward.service import WardService
from ward.store.people import find_user
from ward.web.doors import address_of
from ward.web.identity import create_code
from ward.web.passwords import Passwords
from ward.web.people import create_user, set_password

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from simulator.run import Simulation
    from simulator.ward_plan import Plan
    from ward.ingest.recordings import Recording

PLAN: Final = Path(str(files("ward.alerts") / "plans" / "demo.toml"))
"""Who is told in the demo's ward."""


def run_demo(
    *,
    speed: float,
    beds: int,
    recording: Path | None,
    seed: int,
    data_dir: Path | None,
    http_port: int | None,
) -> None:
    """Blocks until Ctrl-C. Raises ``SettingsError`` where a port is taken or the recording cannot be read."""
    from simulator.ward_plan import plan_ward

    played = read_one(recording) if recording else None
    with contextlib.ExitStack() as stack:
        folder = data_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ward-demo-")))
        settings, sources = load_settings(
            data_dir=str(folder),
            clock="replay",
            replay_speed=speed,
            replay_origin=wall_ms(),
            http_port=http_port,
            log_level="warning",
        )
        if sources["session_idle_min"] == "default":  # a visitor may read for a while
            settings = settings.model_copy(update={"session_idle_min": 0})
        if sources["plan_file"] == "default":
            settings = settings.model_copy(update={"plan_file": PLAN})
        if sources["channels_file"] == "default":
            settings = settings.model_copy(
                update={"channels_file": patient_channels(Path(settings.data_dir))}
            )
        set_up_log(settings.log_level)
        end_on_term()
        check_port(settings)
        broker = stack.enter_context(started_broker(settings))
        settings = settings.model_copy(update={"mqtt_url": broker.url})
        service = WardService(settings)
        stack.enter_context(service.running())
        plan = plan_ward(seed, beds, recording=played)
        simulation = stack.enter_context(simulated(plan, service, broker.url))
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serve(service, settings, plan, simulation))
    typer.echo("ward: ended; nothing is left running")


def patient_channels(folder: Path) -> Path:
    """Nobody looks yet when a demo begins: alerts wait for the visitor before they count as not delivered."""
    path = prepare_data_dir(folder) / "channels.toml"
    path.touch(mode=0o600)
    path.write_text('[dashboard]\ngive_up = "15m"\n')
    return path


def read_one(path: Path) -> Recording:
    from ward.ingest.recordings import read_recordings

    found = [r for r in read_recordings(path) if len(r)]
    if len(found) != 1:
        raise SettingsError(f"{path}: holds {len(found)} stays with readings; the demo plays exactly one")
    return found[0]


@contextlib.contextmanager
def started_broker(settings: Settings) -> Iterator[EmbeddedBroker]:
    try:
        with EmbeddedBroker(urlsplit(settings.mqtt_url).port or 1883) as broker:
            yield broker
    except BrokerError as error:
        raise SettingsError(str(error)) from error


@contextlib.contextmanager
def simulated(plan: Plan, service: WardService, url: str) -> Iterator[Simulation]:
    from simulator.run import Simulation

    simulation = Simulation(plan, url=url, clock=service.clock)
    try:
        yield simulation
    finally:
        simulation.stop()


async def serve(service: WardService, settings: Settings, plan: Plan, simulation: Simulation) -> None:
    """The HTTP server, with the ward admitted and the simulation running beside it."""
    server = http_server(service, settings)
    for stay, observed in zip(plan.stays(), plan.observations(), strict=True):
        admitted = await service.call("admit", **stay, by="demo")
        if observed:
            await service.call("observe", stay=admitted["id"], time=None, values=observed, by="demo")
    simulation.start()
    lifetime = 12 * 3_600_000
    code = create_code(
        service.engine_db, name="demo", role="admin", now=wall_ms(), lifetime=lifetime, reusable=True
    )
    wards = sorted({stay["ward"] for stay in plan.stays()})
    people = people_to_try(service.engine_db, wards)  # takes a second: the link comes when it works
    typer.echo(
        "\n  ward is live. Open this link, it logs your browser in:\n\n"
        f"    {address_of(settings)}/login?code={code}\n"
    )
    typer.echo("  Or log in there as one of these, with passwords made for this demo:\n")
    for role, password in people.items():
        typer.echo(f"    {role:<10} {password}")
    typer.echo("")
    typer.echo(f"  {len(plan.beds)} beds, {service.clock.speed:g} times life. Ctrl-C ends it.\n")
    done = threading.Event()
    lines = threading.Thread(target=tell_lines, args=(service, done), daemon=True)
    lines.start()
    try:
        await server.serve()
    finally:
        done.set()


def people_to_try(database: Engine, wards: list[str]) -> dict[str, str]:
    """A user for each role of people, called like it, with a fresh password: passwords by role."""
    passwords = {role: "-".join(word() for _ in range(4)) for role in ("nurse", "clinician", "admin")}
    for role, password in passwords.items():
        hashed = Passwords().hash_now(password)
        with database.connect() as connection:
            known = find_user(connection, role)
        if known:  # of an earlier demo in the same folder
            set_password(database, known.id, hashed, wall_ms())
        else:
            listed = wards if role == "nurse" else None
            create_user(
                database,
                login=role,
                name=f"Demo {role}",
                role=role,
                wards=listed,
                now=wall_ms(),
                hashed=hashed,
            )
    return passwords


def word() -> str:
    return "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz") for _ in range(4))


def tell_lines(service: WardService, done: threading.Event) -> None:
    """A line a second of what is going on."""
    from ward.live import metrics

    def readings() -> float:
        return float(metrics.READINGS._value.get())

    before, at = readings(), time.monotonic()
    while not done.wait(1.0):
        now, board = readings(), service.board
        elapsed, at_ = time.monotonic() - at, time.monotonic()
        pending = sum(len(stay["pending"]) for stay in board.stays.values())
        active = sum(alert["state"] == "active" for alert in board.alerts)
        health = service.health()
        trouble = "" if health["ready"] else "  " + "; ".join(health["reasons"])
        typer.echo(
            f"  beds {len(board.stays)}  readings/s {(now - before) / elapsed:8.0f}"
            f"  pending {pending}  active {active}{trouble}"
        )
        before, at = now, at_
