"""Which journal a service has, as its settings say; and moving a database from one journal to another.

Snapshots say at which position of the journal they stand. So a database remembers which journal it goes with,
and is given another one only when a snapshot holds all of the one before: positions of two journals mean
nothing to each other, and readings between them would be passed over without a word.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sqlalchemy import Engine

from ward.config import Settings, SettingsError
from ward.errors import ConflictError
from ward.ingest.journal import Journal, SqlJournal
from ward.store.own_journal import DATABASE, OwnJournal, own_journal, put_own_journal
from ward.store.snapshots import keep_alone, latest_snapshot

if TYPE_CHECKING:
    from ward.ingest.jetstream import JetStreamJournal

MISSING: Final = "needs nats-py: pip install 'ward[cluster]'"


def open_journal(engine: Engine, settings: Settings) -> Journal:
    """The journal of the settings, taken over from whoever wrote to it before.

    Raises SettingsError, JournalAwayError, and ConflictError where the database goes with another journal
    that has something no snapshot has.
    """
    if settings.journal_url is None:
        journal: Journal = SqlJournal(engine)
        _move(engine, DATABASE, journal.last())
        return journal
    stream = _jetstream(engine, settings.journal_url, settings.journal_stream + settings.part.mark)
    try:
        _move(engine, stream.identity, stream.last())
    except BaseException:
        stream.close()
        raise
    return stream


def note_whole(engine: Engine, settings: Settings, position: int, last: int) -> None:
    """At the end of a service: whether its last snapshot, at ``position``, holds all of the journal."""
    if settings.journal_url is not None and position == last:
        with engine.begin() as tx:
            put_own_journal(tx, replace(own_journal(tx), whole=True))


def _jetstream(engine: Engine, url: str, stream: str) -> JetStreamJournal:
    try:
        from ward.ingest.jetstream import JetStreamJournal
    except ImportError as error:
        raise SettingsError(f"journal_url: {MISSING}") from error
    return JetStreamJournal(engine, url, stream)


def _move(engine: Engine, identity: str, last: int) -> None:
    with engine.begin() as tx:
        known = own_journal(tx)
        if known.identity != identity:
            newest = latest_snapshot(tx)
            whole = known.whole
            if known.identity == DATABASE:
                whole = SqlJournal(engine).last() <= (newest.position if newest else 0)
            if not whole:
                raise ConflictError(
                    f"the database goes with the journal {known.identity!r}, and not all of that is in a "
                    f"snapshot: start once more with it and stop in order, before it goes with {identity!r}"
                )
            if newest is not None:  # older ones stand in the old journal, where nobody will look again
                keep_alone(tx, newest.id, last)
        if known.identity != identity or known.whole:
            put_own_journal(tx, OwnJournal(identity))
