"""Packs: named sets of rules in TOML. A pack that is wrong anywhere is refused whole, with every reason."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, cast

from ward.alerts import technical
from ward.alerts.clauses import ALLOWED as CLAUSE
from ward.alerts.clauses import ClauseError, format_clause, parse_clause
from ward.alerts.durations import format_duration
from ward.alerts.fields import duration, one_of
from ward.alerts.titles import titles_of
from ward.errors import InvalidError
from ward.language import LANGUAGES, Titles
from ward.scoring.rules import KINDS, PRIORITIES, Clause, Rule

BUILT_IN: Final = ("default", "ward-rct-2025")

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", re.ASCII)
_ID_ALLOWED: Final = "1 to 80 of A-Z a-z 0-9 . _ -, the first a letter or a digit"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: which rule (id or position), which field, what is found and allowed."""

    rule: str | None
    field: str | None
    found: str
    allowed: str

    def __str__(self) -> str:
        where = [f"rule {self.rule}"] if self.rule is not None else []
        where += [f"field {self.field}"] if self.field is not None else []
        prefix = ", ".join(where) + ": " if where else ""
        return f"{prefix}{self.found}; allowed: {self.allowed}"


class PackError(InvalidError):
    """A pack or rule that cannot be used. ``file`` names it, ``problems`` lists all that is wrong."""

    type, title = "invalid-rule", "The rule or pack is not valid"

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        self.file = file
        self.problems = tuple(problems)
        super().__init__(
            "\n".join(f"{file}: {problem}" for problem in problems),
            file=file,
            problems=[{f.name: getattr(p, f.name) for f in fields(Problem)} for p in problems],
        )


@dataclass(frozen=True, slots=True)
class Pack:
    id: str
    title: str
    source: str
    rules: tuple[Rule, ...]


def load_pack(name: str | Path) -> Pack:
    """A built-in pack by its name, or a file by its path. Raises ``PackError``."""
    if isinstance(name, str) and name in BUILT_IN:
        text = (files("ward.alerts") / "packs" / f"{name}.toml").read_text("utf-8")
        return parse_pack(text, f"{name}.toml")
    try:
        text = Path(name).read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        allowed = f"a TOML file in UTF-8, or one of the built-in packs {', '.join(BUILT_IN)}"
        raise PackError(str(name), [Problem(None, None, f"cannot be read ({reason})", allowed)]) from error
    return parse_pack(text, str(name))


def parse_pack(text: str, file: str) -> Pack:
    """``file`` is only used to say where a problem is. Raises ``PackError`` with all problems."""
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also what Python says of a number of 5,000 digits
        raise PackError(file, [Problem(None, None, f"not TOML: {error}", "TOML 1.0")]) from error
    problems: list[Problem] = []
    pack_fields = _Fields(None, data, problems)
    pack_fields.only("id", "title", "source", "rule")
    pack_id = pack_fields.get("id", _identifier)
    title = pack_fields.get("title", _text, pack_id)
    source = pack_fields.get("source", _text, "")
    entries = data.get("rule")
    if not isinstance(entries, list) or not entries:
        problems.append(Problem(None, "rule", "no rules", "one or more [[rule]] tables"))
        entries = []
    rules = [_rule(entry, f"no. {position}", problems) for position, entry in enumerate(entries, 1)]
    problems += _across(entries)
    if problems:
        raise PackError(file, problems)
    return Pack(cast(str, pack_id), cast(str, title), cast(str, source), tuple(cast(list[Rule], rules)))


def _across(entries: Sequence[object]) -> list[Problem]:
    """What is wrong between rules, also where they are wrong in themselves: all is told at once."""
    inhibits: dict[str, list[str]] = {}
    repeated: list[Problem] = []
    for entry in entries:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("id"), str):
            continue
        if entry["id"] in inhibits:
            repeated.append(Problem(entry["id"], "id", "used more than once", "each id once in a pack"))
        others = entry.get("inhibits")
        named = [o for o in others if isinstance(o, str)] if isinstance(others, list) else []
        inhibits.setdefault(entry["id"], []).extend(named)
    return [*repeated, *check_inhibits(inhibits)]


def parse_rule(definition: Mapping[str, Any], file: str = "rule") -> Rule:
    """One rule from the fields of a pack's ``[[rule]]``. Raises ``PackError``.

    What needs the other rules (``inhibits`` of an unknown one, circles) is ``check_inhibits``'s.
    """
    problems: list[Problem] = []
    rule = _rule(definition, "without id", problems)
    if rule is None or problems:
        raise PackError(file, problems)
    return rule


def rule_to_dict(rule: Rule) -> dict[str, Any]:
    """The rule as a pack writes it: JSON- and TOML-ready; ``parse_rule`` gives an equal rule back.

    ``within`` and ``gap`` are left out where they are the default, so that changing ``for`` alone
    keeps a continuous rule continuous.
    """
    return {
        "id": rule.id,
        "title": rule.title,
        **({"titles": dict(rule.titles)} if rule.titles else {}),
        "priority": rule.priority,
        "kind": rule.kind,
        "when": [format_clause(c) for c in rule.when],
        "for": format_duration(rule.for_ms),
        **({"within": format_duration(rule.within_ms)} if rule.within_ms != rule.for_ms else {}),
        **({"gap": format_duration(rule.gap_ms)} if rule.gap_ms != rule.for_ms else {}),
        "min_readings": rule.min_readings,
        **({"clear_when": [format_clause(c) for c in rule.clear_when]} if rule.clear_when else {}),
        "clear_for": format_duration(rule.clear_for_ms),
        "unless": list(rule.unless),
        "inhibits": list(rule.inhibits),
        **({"evidence": rule.evidence} if rule.evidence else {}),
    }


def check_inhibits(inhibits: Mapping[str, Sequence[str]]) -> list[Problem]:
    """What only the whole set shows, given each rule's ``inhibits``: unknown rules, itself, circles."""
    problems = []
    for rule_id, others in inhibits.items():
        for other in others:
            if other == rule_id:
                problems.append(Problem(rule_id, "inhibits", "the rule itself", "other rules of the pack"))
            elif other not in inhibits:
                problems.append(Problem(rule_id, "inhibits", f"unknown rule {other!r}", _listed(inhibits)))
    circles = (
        Problem(c[0], "inhibits", "a circle: " + " > ".join(c), "no circles") for c in _circles(inhibits)
    )
    return [*problems, *circles]


# --- fields -----------------------------------------------------------------------------------------


def _identifier(value: object) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise ValueError(_ID_ALLOWED)
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text")
    return value


def _titles(value: object) -> Titles:
    if not isinstance(value, Mapping) or not value.keys() <= set(LANGUAGES):
        raise ValueError(f"a table of texts by language: {_listed(LANGUAGES)}")
    return tuple((language, _text(value[language])) for language in LANGUAGES if language in value)


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 1_000_000:
        raise ValueError("a whole number from 1 on")
    return value


def _identifiers(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError("a list of ids")
    return tuple(dict.fromkeys(_identifier(item) for item in value))


def _clauses(value: object) -> tuple[Clause, ...]:
    if not isinstance(value, list | tuple) or not value or not all(isinstance(v, str) for v in value):
        raise ValueError(f"a list of one or more clauses, each {CLAUSE}")
    clauses, errors = [], []
    for text in value:
        try:
            clauses.append(parse_clause(text))
        except ClauseError as error:
            errors.append(error)
    if errors:
        raise ExceptionGroup("clauses", errors)
    return tuple(clauses)


def _clauses_or_none(value: object) -> tuple[Clause, ...]:
    return () if value == [] else _clauses(value)


_REQUIRED: Final = object()


@dataclass(slots=True)
class _Fields:
    """Reads fields of one table one by one and collects what is wrong instead of stopping."""

    rule: str | None
    data: Mapping[str, Any]
    problems: list[Problem]
    failed: set[str] = field(default_factory=set)

    def only(self, *names: str) -> None:
        for name in self.data:
            if name not in names:
                self.problems.append(Problem(self.rule, str(name), "unknown field", _listed(names)))

    def get(self, name: str, read: Callable[[object], Any], default: Any = _REQUIRED) -> Any:
        if name not in self.data:
            if default is not _REQUIRED:
                return default
            try:  # what may stand there is what a wrong value would be told
                read(None)
            except ValueError as error:
                self.fail(name, "missing", str(error))
            return None
        value = self.data[name]
        try:
            return read(value)
        except ValueError as error:
            self.fail(name, _shown(value), str(error))
        except ExceptionGroup as group:
            for wrong in group.exceptions:
                assert isinstance(wrong, ClauseError)
                self.fail(name, wrong.found, wrong.allowed)
        return None

    def fail(self, name: str, found: str, allowed: str) -> None:
        self.failed.add(name)
        self.problems.append(Problem(self.rule, name, found, allowed))


def _rule(data: object, place: str, problems: list[Problem]) -> Rule | None:
    """None where a field was wrong; what was wrong is in ``problems``."""
    if not isinstance(data, Mapping):
        problems.append(Problem(place, None, _shown(data), "a table of fields"))
        return None
    name = data.get("id")
    f = _Fields(name if isinstance(name, str) and name else place, data, problems)
    f.only(
        *("id", "title", "titles", "priority", "kind", "when", "for", "within", "gap", "min_readings"),
        *("clear_when", "clear_for", "unless", "inhibits", "evidence"),
    )
    rule_id = f.get("id", _identifier)
    when = f.get("when", _clauses)
    for_ms = f.get("for", duration(1))
    if rule_id in technical.RULES:
        f.fail("id", "reserved", "any id but " + _listed(technical.RULES))
    within_ms = f.get("within", duration(1), for_ms)
    # Who names a rule names it in her own language: what is made here says the same only where she said no
    # more than the condition.
    made = dict(titles_of(when or (), for_ms or 0, within_ms or 0))
    title = f.get("title", _text, made["en"])
    translated = tuple(one for one in made.items() if one[0] != "en") if title == made["en"] else ()
    values = {
        "title": title,
        "titles": f.get("titles", _titles, translated) or translated,
        "priority": f.get("priority", one_of(PRIORITIES)),
        "kind": f.get("kind", one_of(KINDS), "physiological"),
        "within_ms": within_ms,
        "gap_ms": f.get("gap", duration(0), for_ms),
        "min_readings": f.get("min_readings", _count, 2),
        "clear_when": f.get("clear_when", _clauses_or_none, ()),
        "clear_for_ms": f.get("clear_for", duration(1), 120_000),
        "unless": f.get("unless", _identifiers, ()),
        "inhibits": f.get("inhibits", _identifiers, ()),
        "evidence": f.get("evidence", _text, ""),
    }
    if not f.failed & {"for", "within"} and values["within_ms"] < for_ms:
        found = f"{_shown(data['within'])}, shorter than 'for'"
        f.fail("within", found, "at least 'for'")
    return None if f.failed else Rule(id=rule_id, when=when, for_ms=for_ms, **values)


def _circles(inhibits: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Circles of different rules, each once, from its first id back to it. Empty: there are none."""
    found: list[list[str]] = []
    done: set[str] = set()
    for start in sorted(inhibits):
        path: list[str] = []
        ahead = [iter([start])]  # a stack of our own: a long chain must not end in a RecursionError
        while ahead:
            here = next(ahead[-1], None)
            if here is None:
                ahead.pop()
                if path:
                    done.add(path.pop())
            elif here in path:
                circle = path[path.index(here) :]
                first = circle.index(min(circle))
                if len(circle) > 1:
                    found.append([*circle[first:], *circle[:first], circle[first]])
            elif here in inhibits and here not in done:
                path.append(here)
                ahead.append(iter(inhibits[here]))
    return found


def _listed(words: Iterable[str]) -> str:
    return " ".join(words)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
