"""The last trials, so that a draft rests on what the service itself found and not on what a caller says.

Kept in the database, the latest of all people together: a restart forgets none of them.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Engine

from ward.errors import NotFoundError
from ward.store.trials import Trial, find_trial, keep_trial
from ward.web.access import Principal
from ward.web.service_protocol import Json

MOST: Final = 500
"""Trials that are kept; some kilobytes each."""
OF_NOBODY: Final = frozenset(
    {"id", "stays", "patient_days", "denominator", "readings", "rules", "events", "in_force", "by_rule"}
    | {"by_day"}
)
"""What of an answer is about a ward and not about a patient."""


class Tried:
    """By id. Not on the event loop: it reads and writes."""

    def __init__(self, db: Engine, most: int = MOST) -> None:
        self._db, self._most = db, most

    def keep(
        self,
        who: Principal,
        request: Json,
        scope: str,
        base: Mapping[str, Json | None],
        answer: Json,
        at: int,
    ) -> str:
        """Its id."""
        id = secrets.token_hex(8)
        asked = {name: request.get(name) for name in ("start", "end", "wards")} | {
            "recording": request.get("named")
        }
        found: dict[str, Any] = {name: answer[name] for name in OF_NOBODY if name in answer}
        found |= {"id": id, "asked": asked, "candidate": next(iter(answer.get("settings", ())), None)}
        with self._db.begin() as tx:
            keep_trial(tx, Trial(id, who.id, scope, at, request["rules"], dict(base), found), self._most)
        return id

    def get(self, id: str, who: Principal) -> Trial:
        """Raises NotFoundError for one that is not hers, or was not kept."""
        with self._db.connect() as connection:
            found = find_trial(connection, id)
        if found is None or found.who != who.id:
            raise NotFoundError(
                "there is no such trial of yours any more; try the change again", code="trial-gone"
            )
        return found
