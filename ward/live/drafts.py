"""Putting a draft in force, and back: all its rules at once, with the draft, or none of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Final

from sqlalchemy import Connection

from ward.alerts.drafts import is_changed
from ward.alerts.overrides import Override, Rulebook
from ward.alerts.packs import rule_to_dict
from ward.clock import iso
from ward.errors import NotFoundError, PreconditionError
from ward.live.core import Core
from ward.live.views import Json
from ward.scoring.rules import Rule
from ward.store import drafts as store
from ward.store import rules as rule_store
from ward.store.rules import RuleVersion

RETIRED: Final = "retired"
"""What a change says of a rule that shall not be in force any more."""
PROVENANCE: Final = ("draft", "proposed_by", "approved_by", "why")
IN_FORCE: Final = ("rule_id", "scope", "version", "definition", "by", "at", "retired", "follows", "until")


def override_of(version: RuleVersion) -> Override:
    return Override(**{name: getattr(version, name) for name in IN_FORCE})


def rule_view(book: Rulebook, rule_id: str, ward: str | None, stay: str | None) -> Json | None:
    """As ``shown``; None where no such rule is in force."""
    rule = next((rule for rule in book.effective(ward, stay) if rule.id == rule_id), None)
    return None if rule is None else shown(book, rule, ward, stay)


def shown(book: Rulebook, rule: Rule, ward: str | None, stay: str | None) -> Json:
    """A rule as the API shows it, with where its definition comes from."""
    origin, version = book.origin(rule.id, ward, stay)
    override = book.latest(rule.id, origin)
    return {
        **rule_to_dict(rule),
        "scope": origin,
        "version": version,
        "by": override.by if override else None,
        "at": iso(override.at) if override else None,
        "until": iso(override.until) if override else None,
    }


def limits_of(book: Rulebook, stay: str) -> list[Json]:
    """The patient's own rules, in short: what the board shows of them."""
    return [
        {
            "rule": own.rule_id,
            "title": own.definition.get("title") or own.rule_id,
            "titles": own.definition.get("titles") or {},
            "by": own.by,
            "until": iso(own.until),
        }
        for own in book.own(f"stay:{stay}")
    ]


def planned(
    book: Rulebook, changes: Mapping[str, Mapping[str, Any]], scope: str, ward: str | None, by: str, now: int
) -> tuple[Rulebook, list[Override]]:
    """The rulebook as it would be, and the versions that make it so: rules by id, what shall be different of
    each. Raises InvalidError, PackError."""
    after, made = book.copy(), []
    of_stay = scope.partition(":")[2] if scope.startswith("stay:") else None
    for rule_id, change in changes.items():
        exists = any(rule.id == rule_id for rule in after.effective(ward, of_stay))
        goes = bool(change.get(RETIRED))
        fields = {name: value for name, value in change.items() if name != RETIRED}
        one = after.plan(rule_id, fields, scope, by, now, "*" if exists else None, ward, retired=goes)
        after.put(one)
        made.append(one)
    return after, made


def apply_draft(core: Core, tx: Connection, draft: store.Draft, ward: str | None, by: str, now: int) -> Any:
    """Write its versions. Raises PreconditionError where a rule is not any more what it was made from."""
    stay = draft.scope.partition(":")[2] if draft.scope.startswith("stay:") else None
    changed = [
        one["rule"]
        for one in draft.changes
        if is_changed(one["base"], rule_view(core.rulebook, one["rule"], ward, stay))
    ]
    if changed:
        raise PreconditionError(
            f"changed since this draft was made: {', '.join(changed)}; try it again on what is in force now",
            rules=changed,
            code="draft-stale",
            params={"rules": ", ".join(changed)},
        )
    changes = {one["rule"]: one["change"] for one in draft.changes}
    _, planned_ = planned(core.rulebook, changes, draft.scope, ward, by, now)
    told = {
        "draft": draft.id,
        "proposed_by": draft.by,
        "approved_by": draft.approved_by,
        "why": draft.why or draft.title,
    }
    versions, made = [], []
    for one in planned_:
        before = core.rulebook.version(one.rule_id, draft.scope)
        versions.append(_write(tx, one, before, told))
        made.append({"rule": one.rule_id, "version": versions[-1].version, "before": before})
    entry = store.Entry(draft.id, now, by, "apply")
    store.move_draft(tx, draft, entry, state="applied", made=made)
    return versions


def return_draft(
    core: Core, tx: Connection, draft: store.Draft, ward: str | None, by: str, now: int, why: str | None
) -> Any:
    """Write versions that are as it was before. Raises PreconditionError where a rule was changed since."""
    made = draft.made or []
    changed = [
        one["rule"] for one in made if core.rulebook.version(one["rule"], draft.scope) != one["version"]
    ]
    if changed:
        raise PreconditionError(
            f"changed again since this draft was put in force: {', '.join(changed)}; going back would undo "
            "that, too",
            rules=changed,
            code="draft-stale",
            params={"rules": ", ".join(changed)},
        )
    after = core.rulebook.copy()
    back = [_before(core, tx, draft, one, ward, by, now) for one in made]
    for one in back:
        after.put(one)
    after.check(draft.scope, ward)
    told = {"draft": draft.id, "why": why or f"back to before: {draft.title}"}
    versions = [_write(tx, one, one.version - 1, told) for one in back]
    store.move_draft(tx, draft, store.Entry(draft.id, now, by, "return", why), state="returned")
    return versions


def _before(
    core: Core, tx: Connection, draft: store.Draft, made: Json, ward: str | None, by: str, now: int
) -> Override:
    """What the scope had of its own; where it had nothing, that the next wider one is in force again."""
    version = made["version"] + 1
    if made["before"]:
        history = rule_store.rule_history(tx, made["rule"], draft.scope)
        old = override_of(next(v for v in history if v.version == made["before"]))
        return replace(old, version=version, by=by, at=now)
    base = next(change["base"] for change in draft.changes if change["rule"] == made["rule"])
    own = core.rulebook.latest(made["rule"], draft.scope)
    if own is None:
        raise NotFoundError(f"no rule {made['rule']} in {draft.scope}")
    # For a ward that does not know this kind of version: as it was then, or not in force.
    definition = own.definition if base is None else _definition(base)
    return Override(made["rule"], draft.scope, version, definition, by, now, base is None, follows=True)


def _definition(rule: Json) -> Json:
    return {name: value for name, value in rule.items() if name not in ("scope", "version", "by", "at")}


def _write(tx: Connection, one: Override, expected: int, told: Json) -> RuleVersion:
    given = asdict(one)
    del given["version"]
    return rule_store.put_rule(tx, **{**given, "definition": dict(one.definition)}, expected=expected, **told)
