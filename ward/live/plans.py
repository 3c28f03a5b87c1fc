"""The wards' plans as the service has them: from the file that holds for all, and from the database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection
from sqlalchemy import Engine as Database

from ward.alerts.model import Event
from ward.alerts.plan import Plan, Plans, built_in
from ward.alerts.plan_file import PlanError, load_plan, parse_plan
from ward.clock import iso
from ward.store.events import append_events
from ward.store.plans import PlanVersion, current_plans, put_plan

log = structlog.get_logger(__name__)


def load_plans(db: Database, file: Path | None, zone: str = "UTC") -> tuple[Plans, dict[str, str]]:
    """The plans in force, and the faults of those that cannot be read: such a ward goes by the default
    plan until its own is mended. ``zone``: of the clock where no file says it. Raises ``PlanError`` for
    the file."""
    plans = Plans(load_plan(file)[0] if file else built_in(zone))
    faults = {}
    with db.connect() as connection:
        versions = current_plans(connection)
    for version in versions:
        try:
            plans.put(version.ward, parsed(version.ward, version.definition))
        except PlanError as error:
            log.error("a ward's plan cannot be read", ward=version.ward, problems=len(error.problems))
            faults[unreadable(version.ward)] = f"plan: that of ward {version.ward} cannot be read"
    return plans, faults


def unreadable(ward: str) -> str:
    """The fault's name."""
    return f"plan {ward}"


def note_failed(plans: Plans, faults: dict[str, str]) -> None:
    """Put among the faults the plans that could not be followed; they are until they are changed."""
    for ward, error in plans.failed.items():
        if (name := unreadable(ward)) not in faults:
            log.error("a ward's plan cannot be followed; the built-in one holds", ward=ward, error=error)
            faults[name] = f"plan: that of ward {ward} cannot be followed ({error}); the built-in one holds"


def parsed(ward: str, definition: dict[str, Any] | None) -> Plan | None:
    """None where the ward goes by the default plan. Raises ``PlanError``."""
    return None if definition is None else parse_plan(definition, f"plan of ward {ward}")


def store_plan(
    tx: Connection, ward: str, definition: dict[str, Any] | None, by: str, at: int, expected: int
) -> PlanVersion:
    """A new version, and its line in the log. Raises PreconditionError."""
    stored = put_plan(tx, ward=ward, definition=definition, by=by, at=at, expected=expected)
    detail = {"version": stored.version, "default": definition is None}
    append_events(tx, [Event(at, "", ward, None, "plan-changed", by, detail=detail)])
    return stored


def version_view(version: PlanVersion) -> dict[str, Any]:
    return {
        "ward": version.ward,
        "version": version.version,
        "by": version.by,
        "at": iso(version.at),
        "definition": version.definition,
    }
