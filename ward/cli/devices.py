"""``ward device``: who may say what at the broker."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ward.cli.common import plain_errors, say, settings_of

if TYPE_CHECKING:
    from ward.ingest.credentials import Credentials, Made
    from ward.store.audit import Entry

app = typer.Typer(
    no_args_is_help=True,
    help="Devices at the broker: a user and a password for each, and what it may say.\n\n"
    "The database is the truth. Mosquitto's password and ACL files are written from it, and Mosquitto "
    "reads them again, if WARD_MQTT_FILES_DIR and WARD_MQTT_PID_FILE or WARD_MQTT_RELOAD_COMMAND say how.",
)

User = Annotated[str, typer.Argument(help="WARD/DEVICE, or the NAME of a gateway or listener.")]
Folder = Annotated[
    Path | None,
    typer.Option("--mosquitto", help="Folder of Mosquitto's files; by default WARD_MQTT_FILES_DIR."),
]
PidFile = Annotated[
    Path | None, typer.Option("--pid-file", help="Mosquitto's pid file: it gets a SIGHUP to read its files.")
]
Reload = Annotated[
    str | None,
    typer.Option("--reload-command", help="By what Mosquitto reads its files, instead of a pid file."),
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@app.command("add")
def device_add(
    user: User,
    speaks_for: Annotated[
        list[str] | None,
        typer.Option("--for", help="A gateway: speaks for WARD/DEVICE, WARD/+ or +/+; may be repeated."),
    ] = None,
    hears: Annotated[
        list[str] | None,
        typer.Option(
            "--alerts", help="A listener: may read the alerts of this ward (+: of all); may be repeated."
        ),
    ] = None,
    signed: Annotated[
        bool, typer.Option(help="It must sign its messages, whatever WARD_DEVICES says.")
    ] = False,
    mosquitto: Folder = None,
    pid_file: PidFile = None,
    reload_command: Reload = None,
    as_json: AsJson = False,
) -> None:
    """Give a device its user, password and signing key, printed this once.

    \b
    ward device add 6A/mon-12                     one device, which speaks for itself
    ward device add 6A/gateway --for 6A/+         a gateway, which speaks for every device of ward 6A
    ward device add pager --alerts 6A             a program that reads the alerts of ward 6A
    """
    from ward.clock import wall_ms

    with _opened(mosquitto, pid_file, reload_command) as credentials:
        made = credentials.add(
            user,
            wall_ms(),
            speaks_for=speaks_for or [],
            hears=hears or [],
            signed=signed,
            audit=_audit("add"),
        )
        _show(credentials, made, as_json)


@app.command("rotate")
def device_rotate(
    user: User,
    mosquitto: Folder = None,
    pid_file: PidFile = None,
    reload_command: Reload = None,
    as_json: AsJson = False,
) -> None:
    """A new password and a new key, printed this once; the old ones end at once."""
    from ward.clock import wall_ms

    with _opened(mosquitto, pid_file, reload_command) as credentials:
        id = credentials.find(user).id
        made = credentials.rotate(id, user, wall_ms(), _audit("rotate"))
        _show(credentials, made, as_json)


@app.command("remove")
def device_remove(
    user: User, mosquitto: Folder = None, pid_file: PidFile = None, reload_command: Reload = None
) -> None:
    """Take a credential away: its user can say nothing any more."""
    from ward.clock import wall_ms

    with _opened(mosquitto, pid_file, reload_command) as credentials:
        _warn(credentials.remove(credentials.find(user).id, wall_ms(), _audit("remove")))
        say(f"ward: {user} is removed")


@app.command("list")
def device_list(as_json: AsJson = False) -> None:
    """Who may say and hear what; no secrets."""
    with _opened(None, None, None) as credentials:
        listed = credentials.all()
    if as_json:
        rows = [
            {"user": c.user, "speaks_for": c.speaks_for, "hears": c.hears, "signed": c.signed} for c in listed
        ]
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for c in listed:
        spoken = " ".join([*(f"speaks for {s}" for s in c.speaks_for), *(f"hears {w}" for w in c.hears)])
        typer.echo(f"{c.user:32} {spoken}{'  must sign' if c.signed else ''}")


@app.command("files")
def device_files(mosquitto: Folder = None, pid_file: PidFile = None, reload_command: Reload = None) -> None:
    """Write Mosquitto's password and ACL files anew and have them read.

    They hold every device and the user of WARD_MQTT_URL, by which ward itself logs in.
    """
    from ward.errors import UnavailableError

    with _opened(mosquitto, pid_file, reload_command) as credentials:
        try:
            credentials.write_files()
        except UnavailableError as error:
            if credentials.folder is None:
                raise
            say(f"ward: the files are written, but {error.detail}")
            raise typer.Exit(1) from None
        say(f"ward: written to {credentials.folder}, and read")


@contextlib.contextmanager
def _opened(folder: Path | None, pid_file: Path | None, reload_command: str | None) -> Iterator[Credentials]:
    from ward.config import prepare_data_dir
    from ward.live.gatekeeper import credentials_of
    from ward.store.database import migrate, open_database

    with plain_errors():
        settings = settings_of(
            mqtt_files_dir=folder, mqtt_pid_file=pid_file, mqtt_reload_command=reload_command
        )
        prepare_data_dir(settings.data_dir)
        database = open_database(settings.database)
        try:
            migrate(database)
            yield credentials_of(database, settings)
        finally:
            database.dispose()


def _audit(action: str) -> Entry:
    import getpass

    from ward.clock import wall_ms
    from ward.store.audit import Entry

    return Entry(wall_ms(), getpass.getuser(), None, f"device.{action}", source="cli")


def _show(credentials: Credentials, made: Made, as_json: bool) -> None:
    one = made.credential
    rows: dict[str, Any] = {
        "user": one.user,
        "password": made.password,
        "key": made.key,
        "speaks_for": one.speaks_for,
        "hears": one.hears,
        "signed": one.signed,
        "example": credentials.example(made),
    }
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        for name in ("user", "password", "key"):
            typer.echo(f"{name:9} {rows[name]}")
        typer.echo(f"\n{rows['example']}")
        say("\nward: password and key are shown this once; the key is for signed messages (docs/devices.md)")
        if one.signed and one.speaks_for:
            say("ward: it must sign: the message above is refused as it stands, and shows that it is")
    _warn(made.unreloaded)


def _warn(unreloaded: str | None) -> None:
    if unreloaded is not None:
        say(f"ward: the broker does not know it yet: {unreloaded}; see `ward device files --help`")
