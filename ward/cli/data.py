"""Commands on the data as a whole: backup, restore, the database's version."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ward.cli.common import plain_errors, say, settings_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ward.config import Settings
    from ward.protection.archive import Summary

app = typer.Typer()
database_app = typer.Typer(
    no_args_is_help=True,
    help="The version of the database's schema. It is brought up to date by itself when the service starts.",
)

Recipients = Annotated[
    list[str] | None,
    typer.Option(
        "--recipient",
        help="Who can open it: age1… (see `ward backup-key`) or a public SSH key; may be repeated.",
    ),
]
Identity = Annotated[
    Path | None,
    typer.Option("--identity", help="The file with the secret key.", exists=True, dir_okay=False),
]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(help="The passphrase that protects the key, in a file.", exists=True, dir_okay=False),
]


@contextlib.contextmanager
def database_of(settings: Settings) -> Iterator[Engine]:
    from ward.config import SettingsError, prepare_data_dir
    from ward.store.database import open_database

    if settings.database_url is None:
        prepare_data_dir(settings.data_dir)
    try:
        engine = open_database(settings.database)
    except ValueError as error:
        raise SettingsError(f"database_url: {error}") from None
    try:
        yield engine
    finally:
        engine.dispose()


@contextlib.contextmanager
def existing_database(settings: Settings) -> Iterator[Engine]:
    """The same for who only reads: raises InvalidError where there is none, and makes none."""
    from sqlalchemy import make_url

    from ward.errors import InvalidError

    url = make_url(settings.database)
    file = url.database if url.get_backend_name() == "sqlite" else None
    if file is not None and not Path(file).exists():
        raise InvalidError(f"there is no database {file}; start the service, or see WARD_DATA_DIR")
    with database_of(settings) as engine:
        yield engine


@contextlib.contextmanager
def plain_database_errors() -> Iterator[None]:
    from sqlalchemy.exc import DBAPIError

    from ward.errors import UnavailableError

    with plain_errors():
        try:
            yield
        except DBAPIError as error:
            raise UnavailableError(f"the database: {str(error.orig).strip().splitlines()[0]}") from None


@app.command("check")
def check_(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON lines.")] = False,
) -> None:
    """Look at everything the service needs, and say what to do where something is wrong.

    Settings, data folder, database, disk, clock, broker, rules, care plan, channels, backup. Changes nothing,
    and may run beside the service. Ends with status 1 if anything is wrong.
    """
    import json
    from dataclasses import asdict

    from ward.doctor import examine

    with plain_errors():
        settings = settings_of()
    wrong = False
    for found in examine(settings):
        wrong |= found.level == "wrong"
        if as_json:
            typer.echo(json.dumps(asdict(found)))
        else:
            typer.echo(f"{found.level:8} {found.what:12} {found.text}")
            if found.to_do:
                typer.echo(f"{'':21} -> {found.to_do}")
    raise typer.Exit(1 if wrong else 0)


@app.command("backup-key")
def backup_key(
    file: Annotated[Path, typer.Argument(help="Where the secret key goes. Keep it away from this machine.")],
    passphrase_file: Annotated[
        Path | None,
        typer.Option(help="Protect it with the passphrase in this file.", exists=True, dir_okay=False),
    ] = None,
) -> None:
    """Make a key for backups: the secret one to FILE, the public one to standard output.

    Who writes backups needs the public key only (`ward backup --recipient`). Without the secret key nobody
    opens a backup, you included: print it and put it into the safe.
    """
    from ward.protection.keys import make_identity

    with plain_errors():
        passphrase = None if passphrase_file is None else _first_line(passphrase_file)
        typer.echo(make_identity(file, passphrase))


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The backup: one file.")],
    recipient: Recipients = None,
    unencrypted: Annotated[bool, typer.Option(help="Write it so that everybody can read it.")] = False,
    force: Annotated[bool, typer.Option(help="Write over a file that is there.")] = False,
    verify: Annotated[bool, typer.Option(help="Read FILE, a backup, to its end, and write nothing.")] = False,
    identity: Identity = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """All that the ward needs to go on elsewhere, encrypted, while the service runs.

    ward backup /backup/today.age --recipient age1…

    ward backup /backup/today.age --verify --identity key

    Without --recipient it is encrypted to WARD_BACKUP_RECIPIENTS. The file is age's (age-encryption.org):
    the program age opens it as well.
    """
    from ward.clock import wall_ms
    from ward.errors import InvalidError
    from ward.protection.backup import dump, note_backup, read_backup, write_backup
    from ward.protection.keys import recipient as named

    with plain_database_errors():
        if verify:
            with _opened(file) as source:
                _tell(f"{file} is whole", read_backup(source, _keys(identity, passphrase_file)))
            return
        settings = settings_of()
        wanted = recipient or (settings.backup_recipients or "").split()
        if not wanted and not unencrypted:
            raise InvalidError(
                "for whom? --recipient age1… (make a key with `ward backup-key`), WARD_BACKUP_RECIPIENTS, or "
                "--unencrypted, if everybody may read it"
            )
        recipients = [] if unencrypted else [named(each) for each in wanted]
        with database_of(settings) as engine:
            pieces = dump(engine, settings.data_dir, wall_ms(), _progress())
            write_backup(file, pieces, recipients, replace=force)
            note_backup(engine, wall_ms(), file.stat().st_size)
        say(f"ward: {file}: {file.stat().st_size / 1e6:,.3f} MB, {'encrypted' if recipients else 'plain'}")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A backup of `ward backup`.")],
    identity: Identity = None,
    passphrase_file: PassphraseFile = None,
    force: Annotated[
        bool, typer.Option(help="Also into a database that is not empty: all that is in it goes.")
    ] = False,
) -> None:
    """A backup into the empty database that the settings name, SQLite or PostgreSQL, and the data folder.

    The backup is read to its end first; one that is damaged, or a wrong key, changes nothing. The service
    must not run. A backup of an older ward is brought up to date, one of a newer is refused.
    """
    from ward.clock import wall_ms
    from ward.config import prepare_data_dir
    from ward.protection.restore import check
    from ward.protection.restore import restore as run

    with plain_database_errors(), _opened(file) as source:
        settings = settings_of()
        keys = _keys(identity, passphrase_file)
        checked = check(source, keys)
        prepare_data_dir(settings.data_dir)
        with database_of(settings) as engine:
            now, folder = wall_ms(), settings.data_dir
            run(source, keys, checked, engine, folder, force=force, now=now, progress=_progress())
        _tell(f"restored from {file}", checked.summary)


@database_app.command("version")
def database_version() -> None:
    """Print the revision of the database's schema, and that of this ward."""
    from ward.store import schema

    with plain_database_errors(), database_of(settings_of()) as engine, engine.connect() as connection:
        typer.echo(f"database {schema.version(connection) or 'empty'}, this ward {schema.newest()}")
        schema.require_usable(connection)


@database_app.command("upgrade")
def database_upgrade() -> None:
    """Bring the schema up to date without starting the service. A SQLite file is copied beside it first."""
    from ward.store import schema

    with plain_database_errors(), database_of(settings_of()) as engine:
        before, after = schema.upgrade(engine)
        say(f"ward: schema {before or 'empty'} -> {after}")


@database_app.command("downgrade")
def database_downgrade(
    revision: Annotated[str, typer.Argument(help="As the older ward's `ward database version` tells it.")],
) -> None:
    """Bring the schema back, so that an older ward can go on with the data. The service must not run.

    What only this version knows is lost; make a backup first. A SQLite file is copied beside it.
    """
    from ward.store import schema
    from ward.store.serving import serving

    with plain_database_errors(), database_of(settings_of()) as engine, serving(engine, 0.0):
        before, after = schema.downgrade(engine, revision)
        say(f"ward: schema {before} -> {after}; start the version of ward that goes with it")


def _opened(file: Path) -> Any:
    from ward.errors import InvalidError

    try:
        return file.open("rb")
    except OSError as error:
        raise InvalidError(f"{file}: cannot be read ({error.strerror})") from None


def _keys(identity: Path | None, passphrase_file: Path | None) -> list[Any]:
    from ward.protection.keys import identities

    if identity is None:
        return []
    return identities(identity, None if passphrase_file is None else lambda: _first_line(passphrase_file))


def _first_line(file: Path) -> str:
    lines = file.read_text("utf-8").splitlines()
    if not lines or not lines[0]:
        from ward.errors import InvalidError

        raise InvalidError(f"{file}: there is no passphrase in its first line")
    return lines[0]


def _progress() -> Callable[[str, int], None]:
    """Tells on a terminal how far it is; silent elsewhere."""
    import sys

    if not sys.stderr.isatty():
        return lambda table, rows: None
    return lambda table, rows: typer.echo(f"\r\033[K{table} {rows}", err=True, nl=False)


def _tell(what: str, summary: Summary) -> None:
    from ward.clock import iso

    header = summary.header
    assert header is not None
    say(
        f"ward: {what}: {summary.total} rows in {len(summary.rows)} tables, {len(summary.files)} files, "
        f"of {iso(header.created)} (ward {header.version}, schema {header.schema}, {header.database})"
    )
