"""Whether a process that holds no lock may still work on the database."""

from __future__ import annotations

from sqlalchemy import Connection

from ward.live.watchdog import end_process
from ward.store.schema import SchemaError, require_usable


def still_usable(connection: Connection) -> None:
    """End the process where a newer ward took away what this one needs: what it showed would be wrong."""
    try:
        require_usable(connection)
    except SchemaError as error:
        end_process(error.detail)
