"""What trials found: the latest, so that a draft may rest on one."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, delete, select

from ward.store.tables import trials


@dataclass(frozen=True, slots=True)
class Trial:
    """``who``: whose it is; ``rules``: what was different; ``base``: each rule as it was in force when it was
    tried (None: there was none); ``found``: of the answer what is about a ward and not about a patient."""

    id: str
    who: str
    scope: str
    at: int
    rules: list[dict[str, Any]]
    base: dict[str, dict[str, Any] | None]
    found: dict[str, Any]


TRIAL = [trials.c[field.name] for field in fields(Trial)]


def keep_trial(tx: Connection, trial: Trial, most: int) -> None:
    """With it at most so many are kept: the oldest go."""
    tx.execute(trials.insert().values({c: getattr(trial, c.name) for c in TRIAL}))
    newest = select(trials.c.id).order_by(trials.c.at.desc(), trials.c.id).limit(most)
    tx.execute(delete(trials).where(trials.c.id.not_in(newest)))


def find_trial(connection: Connection, id: str) -> Trial | None:
    row = connection.execute(select(*TRIAL).where(trials.c.id == id)).one_or_none()
    return None if row is None else Trial(*row)
