"""The wards' care plans: every version is kept, with who and when."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import IntegrityError

from ward.errors import PreconditionError
from ward.store.tables import plans


@dataclass(frozen=True, slots=True)
class PlanVersion:
    """One version of a ward's plan; without a ``definition`` the ward goes by the default plan."""

    ward: str
    version: int
    definition: dict[str, Any] | None
    by: str
    at: int


COLUMNS = [plans.c[field.name] for field in fields(PlanVersion)]


def put_plan(
    tx: Connection, *, ward: str, definition: dict[str, Any] | None, by: str, at: int, expected: int
) -> PlanVersion:
    """Add the version after ``expected`` (0: the ward has none yet).

    Raises PreconditionError, with the present ``version``, if ``expected`` is not the newest.
    """
    newest = tx.scalar(select(func.coalesce(func.max(plans.c.version), 0)).where(plans.c.ward == ward))
    changed = f"the plan of ward {ward} is at version {{}}, not {expected}"
    if newest != expected:
        raise PreconditionError(changed.format(newest), version=newest, code="plan-changed")
    made = PlanVersion(ward, expected + 1, definition, by, at)
    try:
        with tx.begin_nested():
            tx.execute(plans.insert().values({c: getattr(made, c.name) for c in COLUMNS}))
    except IntegrityError:  # two writers at once: the database lets one through
        theirs = expected + 1
        raise PreconditionError(changed.format(theirs), version=theirs, code="plan-changed") from None
    return made


def current_plans(connection: Connection) -> list[PlanVersion]:
    """The newest version of each ward, by ward."""
    newest = select(func.max(plans.c.id)).group_by(plans.c.ward)
    query = select(*COLUMNS).where(plans.c.id.in_(newest)).order_by(plans.c.ward)
    return [PlanVersion(*row) for row in connection.execute(query)]


def plan_history(connection: Connection, ward: str) -> list[PlanVersion]:
    """Every version of a ward's plan, the latest first."""
    query = select(*COLUMNS).where(plans.c.ward == ward).order_by(plans.c.version.desc())
    return [PlanVersion(*row) for row in connection.execute(query)]
