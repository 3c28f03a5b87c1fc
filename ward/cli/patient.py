"""``ward patient``: what one patient may ask for."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ward.cli.common import say, settings_of
from ward.cli.data import database_of, plain_database_errors

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ward.config import Settings

app = typer.Typer(
    no_args_is_help=True, help="All that is kept of one patient: to be given to her, or to be erased."
)

WAIT_S: Final = 60.0
Stay = Annotated[str | None, typer.Argument(help="The stay's id.")]
Ref = Annotated[str | None, typer.Option("--ref", help="Instead: all stays with this patient_ref.")]


@app.command("export")
def export(
    stay: Stay = None,
    ref: Ref = None,
    output: Annotated[Path, typer.Option(help="FILE.zip (CSV and JSON lines) or FILE.json.")] = Path("-"),
) -> None:
    """All that is kept of a stay, or of all stays of one patient, in open formats.

    ward patient export --ref P-1042 --output p.zip
    """
    from ward.clock import wall_ms
    from ward.errors import ConflictError, InvalidError
    from ward.protection.export import as_json, as_zip
    from ward.store.audit import Entry, append

    with plain_database_errors():
        if output.suffix not in (".zip", ".json"):
            raise InvalidError("where to? --output FILE.zip or --output FILE.json")
        settings = settings_of()
        with database_of(settings) as engine:
            ids = _ids(settings, engine, stay, ref)
            try:
                handle = os.open(output, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            except FileExistsError:
                raise ConflictError(f"{output} is there already") from None
            except OSError as error:
                raise InvalidError(f"{output}: cannot be written ({error.strerror})") from None
            with engine.begin() as tx:
                append(tx, [Entry(wall_ms(), "", None, "patient.export", stay=s, source="cli") for s in ids])
            with os.fdopen(handle, "wb") as file:
                if output.suffix == ".zip":
                    as_zip(engine, ids, file)
                else:
                    file.writelines(as_json(engine, ids))
        say(f"ward: {output}: {len(ids)} {'stay' if len(ids) == 1 else 'stays'}")


@app.command("erase")
def erase(
    stay: Stay = None,
    ref: Ref = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this only tell what would go.")] = False,
) -> None:
    """Everything that is kept of a stay goes, for good; without --yes only tell what would go.

    Readings, alerts and their log, what was told to whom, limits, refused messages, and what journal and
    snapshots hold of it. The audit trail keeps its lines: they name the stay, not the patient. The stay must
    be over. Whether the service runs or not. Backups keep what they have: see docs/operations.md.
    """
    from ward.clock import wall_ms
    from ward.store import erasure
    from ward.store.audit import Entry, append
    from ward.store.serving import is_serving

    with plain_database_errors():
        settings = settings_of()
        with database_of(settings) as engine:
            ids = _ids(settings, engine, stay, ref)
            with engine.connect() as connection:
                for each in ids:
                    if erasure.get_erasure(connection, each) is None:
                        held = erasure.held(connection, erasure.require_ended(connection, each))
                        typer.echo(f"{each}: " + ", ".join(f"{name} {n}" for name, n in held.items() if n))
            if not yes:
                say("ward: nothing was erased; say --yes to do it")
                return
            with engine.begin() as tx:
                for each in ids:
                    erasure.ask(tx, each, "ward patient erase", wall_ms())
                append(tx, [Entry(wall_ms(), "", None, "patient.erase", stay=s, source="cli") for s in ids])
            if is_serving(engine):
                _wait(engine, ids)
            else:
                _erase_here(settings, ids)
            clean = erasure.scrub(engine)
        say(f"ward: erased {', '.join(ids)}")
        if not clean:
            say("ward: somebody reads the database all the while; what went leaves the file a little later")


def _ids(settings: Settings, engine: Engine, stay: str | None, ref: str | None) -> list[str]:
    """The stays that are meant. Raises InvalidError, NotFoundError."""
    from ward.errors import InvalidError, NotFoundError
    from ward.protection.pseudonym import Pseudonyms
    from ward.store import erasure

    if (stay is None) == (ref is None):
        raise InvalidError("which? the id of a stay, or --ref REF, not both")
    with engine.connect() as connection:
        if stay is not None:
            if erasure.get_erasure(connection, stay) is None and erasure.subject(connection, stay) is None:
                raise NotFoundError(f"no stay {stay}")
            return [stay]
        assert ref is not None
        refs = [ref]
        if settings.patient_ref == "pseudonym":
            refs.append(Pseudonyms(settings.data_dir).of(ref))
        found = erasure.stays_of(connection, refs)
    if not found:
        raise NotFoundError("no stay has this patient_ref")
    return found


def _wait(engine: Engine, ids: list[str]) -> None:
    """Until the service that runs has erased them. Raises UnavailableError."""
    from ward.errors import UnavailableError
    from ward.store import erasure

    deadline = time.monotonic() + WAIT_S
    while True:
        with engine.connect() as connection:
            if not set(ids) & set(erasure.asked(connection)):
                return
        if time.monotonic() > deadline:
            raise UnavailableError("the service has not erased it within a minute; it will as soon as it can")
        time.sleep(0.2)


def _erase_here(settings: Settings, ids: list[str]) -> None:
    """No service runs: be one for a moment, without broker and web."""
    from ward.server import alone
    from ward.service import WardService

    with alone(settings):
        service = WardService(settings)
        try:
            service.recover()
            for each in ids:
                answer = service.runner.ask("erase", {"stay": each, "by": "ward patient erase"})
                service.runner.answer_asks()
                answer.result(0)
        finally:
            service.engine_db.dispose()
