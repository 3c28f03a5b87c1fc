"""Overrides of rules: every version of every scope is kept, with who and when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import IntegrityError

from ward.errors import PreconditionError
from ward.store.tables import rules


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """One version of a rule in a scope (``all``, ``ward:X``, ``stay:Y``). Where it is ``retired`` the rule is
    not in force there; where it ``follows``, the rule of the next wider scope has its place back.

    ``by`` put it in force; at ``until`` (ms) it ends by itself, None: never. ``draft``: by which it came,
    with who proposed and who approved that; ``why``.
    """

    rule_id: str
    scope: str
    version: int
    definition: dict[str, Any]
    by: str
    at: int
    retired: bool = False
    follows: bool = False
    draft: str | None = None
    proposed_by: str | None = None
    approved_by: str | None = None
    why: str | None = None
    until: int | None = None


COLUMNS = [rules.c[field.name] for field in fields(RuleVersion)]


def put_rule(
    tx: Connection,
    *,
    rule_id: str,
    scope: str,
    definition: dict[str, Any],
    by: str,
    at: int,
    expected: int,
    **more: Any,
) -> RuleVersion:
    """Add the version after ``expected`` (0: the scope has none yet); ``more``: other fields of a version.

    Raises PreconditionError, with the present ``version``, if ``expected`` is not the newest.
    """
    mine = (rules.c.rule_id == rule_id) & (rules.c.scope == scope)
    newest = tx.scalar(select(func.coalesce(func.max(rules.c.version), 0)).where(mine))
    changed = f"rule {rule_id} ({scope}) is at version {{}}, not {expected}"
    if newest != expected:
        raise PreconditionError(changed.format(newest), version=newest, code="rule-changed")
    made = RuleVersion(rule_id, scope, expected + 1, definition, by, at, **more)
    try:
        with tx.begin_nested():
            tx.execute(rules.insert().values({c: getattr(made, c.name) for c in COLUMNS}))
    except IntegrityError:  # two writers at once: the database lets one through
        theirs = expected + 1
        raise PreconditionError(changed.format(theirs), version=theirs, code="rule-changed") from None
    return made


def current_rules(connection: Connection, scopes: Iterable[str] | None = None) -> list[RuleVersion]:
    """The newest version of each rule and scope, retired ones included, by rule, then scope."""
    newest = (
        select(rules.c.rule_id, rules.c.scope, func.max(rules.c.version).label("version"))
        .group_by(rules.c.rule_id, rules.c.scope)
        .subquery()
    )
    query = (
        select(*COLUMNS)
        .join(
            newest,
            (rules.c.rule_id == newest.c.rule_id)
            & (rules.c.scope == newest.c.scope)
            & (rules.c.version == newest.c.version),
        )
        .order_by(rules.c.rule_id, rules.c.scope)
    )
    if scopes is not None:
        query = query.where(rules.c.scope.in_(list(scopes)))
    return [RuleVersion(*row) for row in connection.execute(query)]


def rule_history(connection: Connection, rule_id: str, scope: str | None = None) -> list[RuleVersion]:
    """Every version of a rule, the latest first; of all scopes unless one is given."""
    query = select(*COLUMNS).where(rules.c.rule_id == rule_id).order_by(rules.c.id.desc())
    if scope is not None:
        query = query.where(rules.c.scope == scope)
    return [RuleVersion(*row) for row in connection.execute(query)]


def rules_at(connection: Connection, at: int) -> list[RuleVersion]:
    """What was in force at a time: the newest version of each rule and scope put at or before ``at``."""
    query = select(*COLUMNS).where(rules.c.at <= at).order_by(rules.c.version)
    found = {(row.rule_id, row.scope): RuleVersion(*row) for row in connection.execute(query)}
    return [found[key] for key in sorted(found)]
