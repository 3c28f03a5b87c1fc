"""``ward audit``: who saw and did what, and whether anybody tampered with that."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ward.cli.common import by_hand, plain_errors, say, settings_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ward.config import Settings

app = typer.Typer(
    no_args_is_help=True,
    help="The audit trail: every view of a patient and every change, each line chained to the one before.\n\n"
    "Check it regularly with `ward audit verify`, and hand it on (`WARD_AUDIT_SYSLOG`, or "
    "`ward audit export`): a copy elsewhere is what nobody on this machine can rewrite.",
)


@contextlib.contextmanager
def database() -> Iterator[tuple[Settings, Engine]]:
    from ward.store.database import open_database

    settings = settings_of()
    engine = open_database(settings.database)
    try:
        yield settings, engine
    finally:
        engine.dispose()


@app.command()
def verify(
    from_: Annotated[int, typer.Option("--from", help="Begin behind this line.", min=0)] = 0,
    head: Annotated[
        list[str] | None,
        typer.Option(help="SEQ:HASH of a line that you have from elsewhere, e.g. a SIEM; may be repeated."),
    ] = None,
) -> None:
    """Say whether the trail holds, or which line was altered, removed, put in or moved first.

    Compares it also with the ends that the service noted in the data folder. Ends with 1 if it does not hold.
    """
    from ward.errors import InvalidError
    from ward.store.audit import Head
    from ward.store.audit import verify as check
    from ward.store.audit_head import Heads

    with plain_errors(), database() as (settings, engine):
        known = [one.head for one in Heads(settings.data_dir).read()]
        for text in head or ():
            number, _, value = text.partition(":")
            if not number.isdigit() or len(value) != 64:
                raise InvalidError(f"--head {text}: SEQ:HASH is allowed, as an exported line has them")
            known.append(Head(int(number), value))
        with engine.connect() as connection:
            verdict = check(connection, after=from_, known=known)
    if not verdict.holds:
        say(f"ward: the audit trail does NOT hold. Line {verdict.bad}: {verdict.wrong}")
        raise typer.Exit(1)
    typer.echo(
        f"the audit trail holds: {verdict.lines} lines, the last {verdict.head.seq}:{verdict.head.hash}"
    )


@app.command()
def export(
    format_: Annotated[Literal["jsonl", "syslog"], typer.Option("--format")] = "jsonl",
    since: Annotated[str | None, typer.Option(help="From this time on (RFC 3339).")] = None,
    after: Annotated[int, typer.Option(help="Behind this line; for a next export.", min=0)] = 0,
    output: Annotated[Path | None, typer.Option(help="Append to this file; by default print.")] = None,
    follow: Annotated[bool, typer.Option(help="Go on with what comes, until Ctrl-C.")] = False,
) -> None:
    """Every line, the earliest first, as JSON lines or syslog messages (RFC 5424), with `seq` and `hash`."""
    import socket
    import sys

    from ward.errors import InvalidError
    from ward.store.audit import read
    from ward.store.audit_lines import to_jsonl, to_syslog
    from ward.web.schemas.common import to_ms

    with plain_errors(), database() as (_, engine), contextlib.ExitStack() as open_files:
        try:
            start = None if since is None else to_ms(since)
        except ValueError as error:
            raise InvalidError(f"--since: {error}") from None
        target = (
            sys.stdout if output is None else open_files.enter_context(output.open("a", encoding="ascii"))
        )
        host = socket.gethostname()
        while True:
            with engine.connect() as connection:
                for line in read(connection, after=after, since=start):
                    target.write((to_jsonl(line) if format_ == "jsonl" else to_syslog(line, host)) + "\n")
                    after = line.seq
            target.flush()
            if not follow:
                return
            try:
                time.sleep(1)
            except KeyboardInterrupt:
                return


@app.command()
def seal(
    reason: Annotated[str, typer.Option(help="Why, for who reads the trail.")],
) -> None:
    """Take the trail as it is now for right, e.g. after an older backup was restored.

    What was known of its end before is written into the trail, with who did this and why. A trail that does
    not hold in itself is not sealed.
    """
    from ward.clock import wall_ms
    from ward.errors import ConflictError, InvalidError
    from ward.store.audit import append
    from ward.store.audit import verify as check
    from ward.store.audit_head import Heads

    with plain_errors(), database() as (settings, engine):
        heads = Heads(settings.data_dir)
        before = "none"
        with contextlib.suppress(InvalidError):  # a damaged file is one of the reasons to seal
            before = next((f"{one.head.seq}:{one.head.hash}" for one in reversed(heads.read())), before)
        with engine.begin() as tx:
            verdict = check(tx)
            if not verdict.holds:
                raise ConflictError(f"the audit trail does not hold. Line {verdict.bad}: {verdict.wrong}")
            head = append(tx, [by_hand("audit.seal", detail={"reason": reason, "known": before})])
        assert head is not None
        heads.seal(head, wall_ms())
        typer.echo(f"sealed: the last line is {head.seq}:{head.hash}")
