"""The languages in which people are told things, and the words that several parts of ward say in them.

What the dashboard says is in its own catalogues (``ward/web/ui/src/text``); here is what is said where it
does not reach: titles of rules, messages to people, reports on paper.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

from ward.signals import HOUR, MINUTE, SECOND, SIGNALS

Language = Literal["da", "en", "nb"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
Titles = tuple[tuple[Language, str], ...]
"""What something is called, by language; hashable, unlike a dict."""

_DANISH: Final = {
    "hr": "hjertefrekvens",
    "pr": "pulsfrekvens",
    "spo2": "SpO2",
    "rr": "respirationsfrekvens",
    "sbp": "systolisk blodtryk",
    "dbp": "diastolisk blodtryk",
    "map": "middelblodtryk",
    "temp": "temperatur",
    "pi": "perfusionsindeks",
    "consciousness": "bevidsthed",
    "oxygen": "ilttilskud",
    "news2": "NEWS2",
    "risk": "risiko",
}
_NORWEGIAN: Final = {
    "hr": "hjertefrekvens",
    "pr": "pulsfrekvens",
    "spo2": "SpO2",
    "rr": "respirasjonsfrekvens",
    "sbp": "systolisk blodtrykk",
    "dbp": "diastolisk blodtrykk",
    "map": "middelblodtrykk",
    "temp": "temperatur",
    "pi": "perfusjonsindeks",
    "consciousness": "bevissthet",
    "oxygen": "tilført oksygen",
    "news2": "NEWS2",
    "risk": "risiko",
}
SIGNAL_NAMES: Final[Mapping[Language, Mapping[str, str]]] = {
    "da": _DANISH,
    "en": {s.name: s.label if s.name in ("spo2", "news2") else s.label.lower() for s in SIGNALS},
    "nb": _NORWEGIAN,
}
"""Each signal as it stands within a sentence."""

_HOURS: Final[Mapping[Language, str]] = {"da": "t", "en": "h", "nb": "t"}


def number(value: float, language: Language) -> str:
    """With as many decimals as it has: ``36.5``, in Danish and Norwegian ``36,5``."""
    text = f"{value:.12g}"
    return text if language == "en" else text.replace(".", ",")


def span(ms: int, language: Language) -> str:
    """A duration as people say it: ``90 s``, ``60 min``, ``3 h`` (two hours or less are minutes)."""
    if ms % HOUR == 0 and ms > 2 * HOUR:
        return f"{ms // HOUR} {_HOURS[language]}"
    if ms % MINUTE == 0:
        return f"{ms // MINUTE} min"
    return f"{number(ms / SECOND, language)} s"


def capital(text: str) -> str:
    """With a capital letter first; ``str.capitalize`` would also lower the others."""
    return text[:1].upper() + text[1:]


def in_language(title: str, titles: Titles | Mapping[Language, str], language: Language) -> str:
    """What something is called in a language; its ``title`` where nobody said."""
    return dict(titles).get(language, title)
