"""What a rule is called where nobody named it: its condition in words, in every language."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from ward.language import LANGUAGES, SIGNAL_NAMES, Language, Titles, capital, number, span
from ward.scoring.rules import Clause

UNITS: Final = {"spo2": " %", "pi": " %", "temp": " °C"}
"""Said with the number; those of the others go without saying."""
_COMPARED: Final[dict[Language, dict[str, str]]] = {
    "da": {"<": "under {}", "<=": "{} eller derunder", ">": "over {}", ">=": "{} eller derover"},
    "en": {"<": "below {}", "<=": "{} or less", ">": "above {}", ">=": "{} or more"},
    "nb": {"<": "under {}", "<=": "{} eller lavere", ">": "over {}", ">=": "{} eller høyere"},
}
_ABSENT: Final[dict[Language, str]] = {"da": "{} mangler", "en": "no {}", "nb": "{} mangler"}
_AND: Final[dict[Language, str]] = {"da": "og", "en": "and", "nb": "og"}
_FOR: Final[dict[Language, str]] = {"da": "i {}", "en": "for {}", "nb": "i {}"}
_WITHIN: Final[dict[Language, str]] = {"da": "i {} af {}", "en": "for {} of {}", "nb": "i {} av {}"}


def titles_of(when: Sequence[Clause], for_ms: int, within_ms: int) -> Titles:
    """``SpO2 below 88 % for 10 min`` and the same in the other languages."""
    return tuple((language, _title(when, for_ms, within_ms, language)) for language in LANGUAGES)


def _title(when: Sequence[Clause], for_ms: int, within_ms: int, language: Language) -> str:
    said = [_clause(clause, language) for clause in when[:1]]
    for before, clause in pairwise(when):  # of one signal twice in a row the name is said once
        said.append(_clause(clause, language, named=before.signal != clause.signal or clause.op == "absent"))
    length = span(for_ms, language)
    form = _FOR if within_ms == for_ms else _WITHIN
    sustained = form[language].format(length, span(within_ms, language))
    return capital(f"{f' {_AND[language]} '.join(said)} {sustained}")


def _clause(clause: Clause, language: Language, named: bool = True) -> str:
    name = SIGNAL_NAMES[language].get(clause.signal, clause.signal)
    if clause.op == "absent":
        return _ABSENT[language].format(name)
    value = number(clause.number, language) + UNITS.get(clause.signal, "")
    compared = _COMPARED[language][clause.op].format(value)
    return f"{name} {compared}" if named else compared
