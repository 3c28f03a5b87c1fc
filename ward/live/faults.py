"""What a fault is called in front of people: its part, and what they could do something about."""

from __future__ import annotations

import errno
from typing import Final

from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ward.errors import FencedError
from ward.ingest.journal import JournalAwayError

FULL: Final = "the disk is full"
AWAY: Final = (
    OperationalError,
    InterfaceError,
    InternalError,
    PoolTimeoutError,
    JournalAwayError,
    FencedError,
)
"""Says that nothing can be written now: the database or the journal's servers do not answer, it is read-only,
has no connection free, or is another service's by now."""
_SIGNS: Final = (
    (("disk is full", "no space left", "disk full", "could not extend file"), FULL),
    (("database is locked", "lock timeout", "database table is locked"), "the database is locked"),
    (("disk i/o error", "input/output error"), "the disk does not take it"),
    (("readonly database", "read-only"), "the database is read-only"),
)
"""Parts of what SQLite and PostgreSQL say, and what that means."""


def why(error: BaseException) -> str:
    """A few words on an error; never its text, which may hold a patient's data or a password."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return FULL
    if isinstance(error, JournalAwayError):
        return "the journal's servers do not answer"
    if isinstance(error, DBAPIError):
        said = str(error.orig).lower()
        for signs, meaning in _SIGNS:
            if any(sign in said for sign in signs):
                return meaning
        if isinstance(error, OperationalError):
            return "the database does not answer"
    return type(error).__name__


def told(part: str, error: BaseException) -> str:
    """One reason for ``/readyz``: ``journal: the disk is full``."""
    return f"{part}: {why(error)}"
