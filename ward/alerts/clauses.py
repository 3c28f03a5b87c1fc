"""Clauses of a condition as people write them: ``spo2 < 88``, ``hr absent``."""

from __future__ import annotations

import math
import re
from typing import Final, cast

from ward.scoring.rules import OPERATORS, Clause, Operator
from ward.signals import INDEX, SIGNALS

ALLOWED: Final = '"signal op number" with one of < <= > >=, or "signal absent"'

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_MAY_BE_ABSENT: Final = tuple(s.name for s in SIGNALS if not s.derived)


class ClauseError(ValueError):
    """``found`` is what is wrong, ``allowed`` what may stand there."""

    def __init__(self, found: str, allowed: str) -> None:
        super().__init__(f"{found}; allowed: {allowed}")
        self.found, self.allowed = found, allowed


def parse_clause(text: str) -> Clause:
    """Raises ``ClauseError``."""
    words = re.sub(r"(<=|>=|<|>)", r" \1 ", text).split()
    if not words:
        raise ClauseError("an empty clause", ALLOWED)
    if words[0] not in INDEX:
        raise ClauseError(f"unknown signal {words[0]!r} in {text!r}", " ".join(INDEX))
    if words[1:] == ["absent"]:
        if words[0] not in _MAY_BE_ABSENT:
            # A derived signal has no hold that could run out.
            raise ClauseError(f"'absent' of the derived signal {words[0]!r}", " ".join(_MAY_BE_ABSENT))
        return Clause(words[0], "absent")
    if len(words) != 3:
        raise ClauseError(repr(text), ALLOWED)
    if words[1] not in OPERATORS or words[1] == "absent":
        raise ClauseError(f"unknown comparison {words[1]!r} in {text!r}", "< <= > >=")
    number = float(words[2]) if _NUMBER.fullmatch(words[2]) else math.nan
    if not math.isfinite(number):
        raise ClauseError(f"{words[2]!r} in {text!r}", "a finite decimal number")
    return Clause(words[0], cast(Operator, words[1]), number + 0.0)  # + 0.0: no negative zero


def format_clause(clause: Clause) -> str:
    """Exact: ``parse_clause`` gives an equal clause back."""
    if clause.op == "absent":
        return f"{clause.signal} absent"
    return f"{clause.signal} {clause.op} {repr(clause.number).removesuffix('.0')}"
