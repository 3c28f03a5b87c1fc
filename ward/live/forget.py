"""Erasing a stay from the core: rows, memory, journal and snapshots. Runs on the core's thread."""

from __future__ import annotations

from ward.clock import wall_ms
from ward.ingest.journal import Journal
from ward.ingest.records import RulesChanged
from ward.live import snapshots
from ward.live.core import Core
from ward.store import erasure
from ward.store.snapshots import KEPT


def erase(core: Core, journal: Journal, stay: str, by: str, now: int) -> erasure.Erased:
    """Erase a stay that is over, so that nothing of it is left in the database, nor comes back after a crash.

    Raises NotFoundError, ConflictError; then nothing has changed. Erasing again changes nothing, and ends
    what a crash has cut short.
    """
    with core.db.connect() as connection:
        if erasure.get_erasure(connection, stay) is None:
            erasure.require_ended(connection, stay)
    core.commit(now)
    snapshots.flush(core)  # what waits to be written must be there to be deleted
    with core.db.begin() as tx:
        erased = erasure.erase(tx, stay, by, wall_ms())
    core.end_stay(stay)
    core.book.forget(stay)
    core.rulebook.forget(f"stay:{stay}")
    if erased.done is None:
        _renew(core, journal, now)
        with core.db.begin() as tx:
            erased = erasure.finish(tx, stay, wall_ms())
    return erased


def _renew(core: Core, journal: Journal, now: int) -> None:
    """Snapshots of now in the place of all that are kept, and a journal that begins behind them."""
    core.position = journal.append(
        [RulesChanged(now)]
    )  # the newest entry always stays: one that tells nothing
    for _ in range(KEPT):
        position = snapshots.save(core, now)
    journal.trim(position)
