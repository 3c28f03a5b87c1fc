"""What the commands share."""

from __future__ import annotations

import atexit
import contextlib
import getpass
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

from ward.errors import WardError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ward.config import Settings
    from ward.store.audit import Entry


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
    from ward.config import leave_to_owner, load_settings

    settings = load_settings(**given)[0]
    # A second early: a file's time is that of the last tick of the kernel's clock.
    atexit.register(leave_to_owner, settings.data_dir, time.time() - 1)
    return settings


def operator() -> str:
    """Who sits at the command line, as the machine knows them."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def by_hand(action: str, **known: object) -> Entry:
    """An audit entry of the command line, now."""
    from ward.clock import wall_ms
    from ward.store.audit import Entry

    return Entry(wall_ms(), operator(), None, action, source="cli", **known)  # type: ignore[arg-type]


def opened() -> Engine:
    """The database of the settings, with the newest schema. Raises SettingsError."""
    from ward.config import prepare_data_dir
    from ward.store.database import migrate, open_database

    settings = settings_of()
    if settings.database_url is None:
        prepare_data_dir(settings.data_dir)
    database = open_database(settings.database)
    migrate(database)
    return database


def record(database: Engine, action: str, object: str, **detail: Any) -> None:
    """A line of the audit trail: the person at the command line did this."""
    from ward.store.audit import append

    with database.begin() as tx:
        append(tx, [by_hand(action, object=object, detail=detail)])
