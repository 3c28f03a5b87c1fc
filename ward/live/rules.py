"""Rules that are changed, one by one or as a draft has them. Runs on the core's thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ward.errors import ConflictError, InvalidError, NotFoundError, PreconditionError
from ward.ingest.journal import Journal
from ward.ingest.records import RulesChanged
from ward.live import drafts
from ward.live.core import Core
from ward.live.views import Json
from ward.store import drafts as draft_store
from ward.store import rules as rule_store
from ward.store.rules import RuleVersion

BY_CLOCK: Final = "the clock"
"""Who ends limits whose time is up."""


class Rules:
    """Each change is a version in the database first, then in the journal that there was one."""

    def __init__(self, core: Core, journal: Journal) -> None:
        self._core, self._journal = core, journal
        core.limits_over = self.limits_over

    def put_rule(
        self,
        now: int,
        rule_id: str,
        definition: Mapping[str, Any],
        scope: str,
        by: str,
        expected: str | None,
        until: int | None = None,
        why: str | None = None,
    ) -> Any:
        """``until``: of limits of one patient, when they end by themselves (ms)."""
        core, book = self._core, self._core.rulebook
        if until is not None:
            _check_end(until, scope, now)
        ward, stay = places(core, scope)
        of, version = book.origin(rule_id, ward, stay)
        if expected not in (None, "*", str(version)):
            said = f"rule {rule_id} is at version {version} ({of})"
            raise PreconditionError(said, version=version, code="rule-changed")
        exists = any(r.id == rule_id for r in book.effective(ward, stay))
        made = book.plan(rule_id, definition, scope, by, now, "*" if exists else None, ward)
        with core.db.begin() as tx:
            stored = rule_store.put_rule(
                tx,
                rule_id=rule_id,
                scope=scope,
                definition=dict(made.definition),
                by=by,
                at=now,
                expected=book.version(rule_id, scope),
                until=until,
                why=why,
            )
        self._put_in_force([stored], now, by)
        return drafts.rule_view(book, rule_id, ward, stay)

    def end_limit(self, now: int, rule_id: str, stay: str, by: str) -> Any:
        """The patient has no limits of her own for this rule any more: the ward's hold again."""
        core, scope = self._core, f"stay:{stay}"
        ward, _ = places(core, scope)
        if not any(own.rule_id == rule_id for own in core.rulebook.own(scope)):
            raise NotFoundError(f"no rule {rule_id} of this patient's own")
        self._follow([(rule_id, scope)], now, by)
        return drafts.rule_view(core.rulebook, rule_id, ward, stay) or {"id": rule_id}

    def limits_over(self, now: int) -> None:
        """Ends what has an end, by the clock. Called with each tick, so also right after a start."""
        over = [one for one in self._core.rulebook.over(now) if self._is_own(one.scope)]
        if over:
            self._follow([(one.rule_id, one.scope) for one in over], now, BY_CLOCK)

    def _is_own(self, scope: str) -> bool:
        """Whose engine ends it: of several on one database, each its own patients'."""
        return self._core.partition.is_whole or scope.removeprefix("stay:") in self._core.stays

    def follow_others(self, now: int) -> Any:
        """Put in force what another engine has written for every ward."""
        core = self._core
        with core.db.connect() as connection:
            stored = rule_store.current_rules(connection, ["all"])
        unknown = [one for one in stored if core.rulebook.version(one.rule_id, "all") < one.version]
        if unknown:
            self._put_in_force(unknown, now, unknown[-1].by)
        return {"rules": [one.rule_id for one in unknown]}

    def _follow(self, ended: list[tuple[str, str]], now: int, by: str) -> None:
        book = self._core.rulebook
        with self._core.db.begin() as tx:
            versions = [
                rule_store.put_rule(
                    tx,
                    rule_id=rule_id,
                    scope=scope,
                    definition=dict(last.definition) if (last := book.latest(rule_id, scope)) else {},
                    by=by,
                    at=now,
                    expected=book.version(rule_id, scope),
                    follows=True,
                )
                for rule_id, scope in ended
            ]
        self._put_in_force(versions, now, by)

    def apply_draft(self, now: int, draft: str, by: str, state: str) -> Any:
        """All its rules at once. ``state``: the one in which the caller saw that it may be."""
        return self._with_draft(draft, state, now, by, drafts.apply_draft)

    def return_draft(self, now: int, draft: str, by: str, state: str, why: str | None) -> Any:
        """Versions as they were before it. Each is a new one: nothing is taken out of the history."""
        return self._with_draft(draft, state, now, by, drafts.return_draft, why=why)

    def _with_draft(
        self, id: str, state: str, now: int, by: str, change: Callable[..., list[RuleVersion]], **more: Any
    ) -> Json:
        core = self._core
        with core.db.begin() as tx:
            draft = draft_store.get_draft(tx, id)
            if draft.state != state:
                raise ConflictError(
                    f"this draft is {draft.state} by now", state=draft.state, code="draft-state"
                )
            ward, _ = places(core, draft.scope)
            versions = change(core, tx, draft, ward, by=by, now=now, **more)
        self._put_in_force(versions, now, by)
        return {"draft": id, "rules": [version.rule_id for version in versions]}

    def _put_in_force(self, versions: list[RuleVersion], now: int, by: str) -> None:
        for version in versions:
            self._core.rulebook.put(drafts.override_of(version))
        self._core.rules_changed(now, by)
        self._core.position = self._journal.append([RulesChanged(now)])


def _check_end(until: int, scope: str, now: int) -> None:
    if not scope.startswith("stay:"):
        raise InvalidError("only limits of one patient end by themselves; use ?stay=", field="body.until")
    if until <= now:
        raise InvalidError("the end must be in the future", field="body.until", code="end-past")


def places(core: Core, scope: str) -> tuple[str | None, str | None]:
    """See ``places_among``."""
    return places_among(scope, lambda stay: core.stays[stay].ward if stay in core.stays else None)


def places_among(scope: str, ward_of: Callable[[str], str | None]) -> tuple[str | None, str | None]:
    """(ward, stay) of ``all``, ``ward:X`` or ``stay:Y``. Raises InvalidError, NotFoundError."""
    kind, _, name = scope.partition(":")
    if scope == "all":
        return None, None
    if kind == "ward" and name:
        return name, None
    if kind == "stay" and name:
        ward = ward_of(name)
        if ward is None:
            raise NotFoundError(f"no present stay {name}")
        return ward, name
    raise InvalidError("scope must be all, ward:NAME or stay:ID", field="scope")
