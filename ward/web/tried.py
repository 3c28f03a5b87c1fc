"""The last trials, so that a draft rests on what the service itself found and not on what a caller says.

Kept in memory: who proposes a change does so minutes after trying it.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ward.errors import NotFoundError
from ward.web.access import Principal
from ward.web.service_protocol import Json

MOST: Final = 500
"""Trials that are kept; some kilobytes each."""
OF_NOBODY: Final = frozenset(
    {"id", "stays", "patient_days", "denominator", "readings", "rules", "events", "in_force", "by_rule"}
    | {"by_day"}
)
"""What of an answer is about a ward and not about a patient."""


@dataclass(frozen=True, slots=True)
class Trial:
    """base: each rule as it was in force when it was tried (None: there was none)."""

    who: str
    scope: str
    rules: Sequence[Json]
    base: Mapping[str, Json | None]
    found: Json


class Tried:
    """By id. On the event loop."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[str, Trial] = OrderedDict()

    def keep(
        self, who: Principal, request: Json, scope: str, base: Mapping[str, Json | None], answer: Json
    ) -> str:
        """Its id."""
        id = secrets.token_hex(8)
        asked = {name: request.get(name) for name in ("start", "end", "wards")}
        found: dict[str, Any] = {name: answer[name] for name in OF_NOBODY if name in answer}
        found |= {"id": id, "asked": asked, "candidate": next(iter(answer.get("settings", ())), None)}
        self._kept[id] = Trial(who.id, scope, request["rules"], base, found)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return id

    def get(self, id: str, who: Principal) -> Trial:
        """Raises NotFoundError for one that is not hers, or was not kept."""
        found = self._kept.get(id)
        if found is None or found.who != who.id:
            raise NotFoundError(
                "there is no such trial of yours any more; try the change again", code="trial-gone"
            )
        return found
