"""Which rules are in force for a stay: the pack, changed for all, then for its ward, then for the stay.

Every change is a new version of (rule, scope), with who made it and when; none is ever edited.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ward.alerts.packs import Pack, PackError, Problem, check_inhibits, parse_rule, rule_to_dict
from ward.errors import InvalidError, NotFoundError, PreconditionError
from ward.scoring.rules import Rule


@dataclass(frozen=True, slots=True)
class Override:
    """One version of a rule in one scope. ``scope`` is ``all``, ``ward:NAME`` or ``stay:ID``.

    ``definition`` has all fields of the rule; with ``retired`` the rule is not in force in that scope. With
    ``follows`` the scope has no rule of its own any more: the next wider one is in force again.
    ``until``: when (ms) it ends by itself, which whoever has the clock sees to (``over``).
    """

    rule_id: str
    scope: str
    version: int
    definition: Mapping[str, Any] = field(default_factory=dict)
    by: str = ""
    at: int = 0
    retired: bool = False
    follows: bool = False
    until: int | None = None


class Rulebook:
    """A pack and the latest override of each rule and scope."""

    def __init__(self, pack: Pack, overrides: Iterable[Override] = ()) -> None:
        self.pack = pack
        self._base = {rule.id: rule for rule in pack.rules}
        self._latest: dict[tuple[str, str], Override] = {}
        self._changed: dict[str, dict[str, Rule | None]] = {}
        self._merged: dict[tuple[str, ...], tuple[Rule, ...]] = {}
        """What ``effective`` found, by the scopes that have anything: most stays have nothing."""
        for override in sorted(overrides, key=lambda o: o.version):
            self.put(override)

    def put(self, override: Override) -> None:
        """Takes a version in. Raises ``PackError`` where its definition is no rule."""
        ends = override.retired or override.follows
        rule = None if ends else parse_rule(override.definition, file=override.scope)
        self._latest[override.scope, override.rule_id] = override
        self._merged = {}
        own = self._changed.setdefault(override.scope, {})
        if override.follows:
            own.pop(override.rule_id, None)
        else:
            own[override.rule_id] = rule

    def over(self, now: int) -> list[Override]:
        """Those in force whose time is up."""
        return [o for o in self._latest.values() if o.until is not None and o.until <= now]

    def own(self, scope: str) -> list[Override]:
        """What is in force in just this scope, by rule."""
        ids = sorted(self._changed.get(scope, {}))
        return [self._latest[scope, rule_id] for rule_id in ids]

    def changed_scopes(self) -> list[str]:
        """Where something is in force that is not the pack's."""
        return [scope for scope, rules in self._changed.items() if rules]

    def copy(self) -> Rulebook:
        """Another with the same versions, in which changes can be tried."""
        return Rulebook(self.pack, self._latest.values())

    def forget(self, scope: str) -> None:
        """As if there had never been a rule of this scope."""
        self._latest = {key: override for key, override in self._latest.items() if key[0] != scope}
        self._changed.pop(scope, None)
        self._merged = {}

    def effective(self, ward: str | None = None, stay: str | None = None) -> tuple[Rule, ...]:
        """The rules in force: in the pack's order, then those that were added, by id."""
        scopes = tuple(scope for scope in _scopes(ward, stay) if self._changed.get(scope))
        if scopes not in self._merged:
            self._merged[scopes] = self._merge(scopes)
        return self._merged[scopes]

    def _merge(self, scopes: Iterable[str]) -> tuple[Rule, ...]:
        rules: dict[str, Rule | None] = dict(self._base)
        for scope in scopes:
            rules |= self._changed[scope]
        added = sorted(rules.keys() - self._base.keys())
        ordered = (rules[rule_id] for rule_id in (*self._base, *added))
        present = [rule for rule in ordered if rule is not None]
        ids = {rule.id for rule in present}
        return tuple(_without_missing(rule, ids) for rule in present)

    def rule(self, rule_id: str, ward: str | None = None, stay: str | None = None) -> Rule:
        """The rule as it is in force there. Raises ``NotFoundError``."""
        for rule in self.effective(ward, stay):
            if rule.id == rule_id:
                return rule
        raise NotFoundError(f"no rule {rule_id} in force")

    def origin(self, rule_id: str, ward: str | None = None, stay: str | None = None) -> tuple[str, int]:
        """Scope and version that the rule in force comes from; ``("pack", 0)`` where nobody changed it."""
        for scope in reversed(_scopes(ward, stay)):
            override = self._latest.get((scope, rule_id))
            if override is not None and not override.follows:
                return scope, override.version
        return "pack", 0

    def etag(self, rule_id: str, ward: str | None = None, stay: str | None = None) -> str:
        """A quoted entity tag that changes whenever the rule in force there, or its versions, do."""
        versions = [self.version(rule_id, scope) for scope in _scopes(ward, stay)]
        rule = rule_to_dict(self.rule(rule_id, ward, stay))
        text = json.dumps([self.pack.id, rule, versions], sort_keys=True)
        return f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'

    def latest(self, rule_id: str, scope: str) -> Override | None:
        """The newest version in exactly this scope."""
        return self._latest.get((scope, rule_id))

    def version(self, rule_id: str, scope: str) -> int:
        """The latest version in exactly this scope; 0 where there is none."""
        override = self._latest.get((scope, rule_id))
        return override.version if override else 0

    def plan(
        self,
        rule_id: str,
        definition: Mapping[str, Any],
        scope: str,
        by: str,
        at: int,
        expected: str | None,
        ward: str | None = None,
        retired: bool = False,
    ) -> Override:
        """The version that a change would make; the caller stores it, then gives it to ``put``.

        ``definition`` may name only the fields that change. ``expected`` is the etag that the caller
        saw ("*": any; None only for a rule that does not exist yet). ``ward`` is that of the stay in
        the scope ``stay:…``. Raises InvalidError, PackError, PreconditionError, NotFoundError.
        """
        of_ward, of_stay = _places(scope, ward)
        old = next((r for r in self.effective(of_ward, of_stay) if r.id == rule_id), None)
        if old is None and (expected is not None or retired):
            raise NotFoundError(f"no rule {rule_id} in force")
        if old is not None and expected not in ("*", self.etag(rule_id, of_ward, of_stay)):
            said = f"rule {rule_id} is at another version"
            raise PreconditionError(said, rule=rule_id, code="rule-changed")
        merged = merge(old, {**definition, "id": definition.get("id", rule_id)})
        if merged["id"] != rule_id:
            raise PackError(scope, [Problem(rule_id, "id", repr(merged["id"]), rule_id)])
        rule = parse_rule(merged, file=scope)
        if not retired:
            others = [r for r in self.effective(of_ward, of_stay) if r.id != rule_id]
            if problems := check_inhibits({r.id: r.inhibits for r in (*others, rule)}):
                raise PackError(scope, problems)
            self._check_scopes_above(rule, scope)
        version = self.version(rule_id, scope) + 1
        return Override(rule_id, scope, version, rule_to_dict(rule), by, at, retired)

    def check(self, scope: str, ward: str | None = None) -> None:
        """Whether the rules in force there, and where other overrides stand on them, go together.

        Raises PackError.
        """
        for other in sorted({scope, *(of for of, _ in self._latest if of != "all")}):
            rules = self.effective(*_places(other, ward if other == scope else None))
            if problems := check_inhibits({rule.id: rule.inhibits for rule in rules}):
                raise PackError(other, problems)

    def _check_scopes_above(self, rule: Rule, scope: str) -> None:
        """A rule that is fine where it is put may close a circle where other overrides stand on it."""
        for other in sorted({of for of, _ in self._latest} - {scope, "all"}):
            if scope != "all" and not other.startswith("stay:"):
                continue
            rules = {r.id: r.inhibits for r in self.effective(*_places(other, None))}
            if (other, rule.id) not in self._latest:
                rules[rule.id] = rule.inhibits
            present = {name: [i for i in inhibits if i in rules] for name, inhibits in rules.items()}
            if problems := check_inhibits(present):
                raise PackError(other, problems)


def merge(rule: Rule | None, definition: Mapping[str, Any]) -> dict[str, Any]:
    """The rule's fields with those given in their place.

    A title often spells the condition out ("below 88 % for 10 min"). Where the condition changes and
    no new title is given, the old one goes, so that it cannot say what is no longer so. With a title go
    its translations.
    """
    old = rule_to_dict(rule) if rule is not None else {}
    if any(name in definition and definition[name] != old.get(name) for name in ("when", "for", "within")):
        old.pop("title", None)
    if "title" not in old or definition.get("title", old["title"]) != old["title"]:
        old.pop("titles", None)
    return {**old, **definition}


def _without_missing(rule: Rule, ids: set[str]) -> Rule:
    """A rule may be retired in one scope only; those that inhibited it stay valid there."""
    kept = tuple(other for other in rule.inhibits if other in ids)
    return rule if kept == rule.inhibits else replace(rule, inhibits=kept)


def _scopes(ward: str | None, stay: str | None) -> list[str]:
    return ["all", *([f"ward:{ward}"] if ward else []), *([f"stay:{stay}"] if stay else [])]


def _places(scope: str, ward: str | None) -> tuple[str | None, str | None]:
    """Ward and stay whose rules a scope stands on."""
    kind, _, name = scope.partition(":")
    if scope == "all":
        return None, None
    if kind == "ward" and name:
        return name, None
    if kind == "stay" and name:
        return ward, name
    raise InvalidError("scope must be all, ward:NAME or stay:ID", field="scope")
