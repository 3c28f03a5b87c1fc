"""Which journal a database goes with, and whether a snapshot holds all of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import Connection

from ward.store.meta import get_meta, put_meta
from ward.store.partition import partition_of

KEY: Final = "journal"
DATABASE: Final = "database"


@dataclass(frozen=True, slots=True)
class OwnJournal:
    """``identity``: ``database``, or a stream's name and when it was made. ``whole``: a snapshot holds all of
    it, so that another may take its place; of the database's own that is seen from its rows."""

    identity: str = DATABASE
    whole: bool = False


def own_journal(connection: Connection) -> OwnJournal:
    known = get_meta(connection, KEY + partition_of(connection).mark)
    return OwnJournal() if known is None else OwnJournal(**known)


def put_own_journal(tx: Connection, journal: OwnJournal) -> None:
    put_meta(tx, KEY + partition_of(tx).mark, asdict(journal))
