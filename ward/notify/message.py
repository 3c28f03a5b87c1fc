"""What is said: as little as the channel may carry, and never who the patient is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from ward.clock import iso
from ward.language import Language
from ward.store.deliveries import Sending

DETAILS: Final = ("bed", "none")
"""What a channel may carry. bed: ward, bed, what is wrong and since when. none: only that something is."""
LONGEST: Final = 200
"""Characters of a title: a text message should stay one."""

_WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    "da": {
        "handed-over": "Overdraget til dig: ",
        "reminder": "Påmindelse: ",
        "escalation": "Ingen har kvitteret: ",
        "undelivered": "En anden kunne ikke få besked: ",
        "resolved": "Ophørt: ",
        "place": "Afsnit {}",
        "bed": ", seng {}",
        "high": "{}: alarm med høj prioritet",
        "medium": "{}: alarm med mellem prioritet",
        "low": "{}: alarm med lav prioritet",
        "test": "Testalarm for afsnit {}",
        "test-body": "Dette er en test. Der er intet galt; bekræft på tavlen, at den nåede frem.",
        "look": "Se tavlen.",
        "since": ", siden {}",
    },
    "en": {
        "handed-over": "Handed over to you: ",
        "reminder": "Reminder: ",
        "escalation": "Nobody has taken it: ",
        "undelivered": "Another could not be told: ",
        "resolved": "Resolved: ",
        "place": "Ward {}",
        "bed": ", bed {}",
        "high": "{}: high alert",
        "medium": "{}: medium alert",
        "low": "{}: low alert",
        "test": "Test alert of ward {}",
        "test-body": "This is a test. Nothing is wrong; please confirm on the dashboard that it arrived.",
        "look": "See the dashboard.",
        "since": ", since {}",
    },
    "nb": {
        "handed-over": "Overlatt til deg: ",
        "reminder": "Påminnelse: ",
        "escalation": "Ingen har kvittert: ",
        "undelivered": "En annen kunne ikke få beskjed: ",
        "resolved": "Opphørt: ",
        "place": "Post {}",
        "bed": ", seng {}",
        "high": "{}: alarm med høy prioritet",
        "medium": "{}: alarm med middels prioritet",
        "low": "{}: alarm med lav prioritet",
        "test": "Testalarm for post {}",
        "test-body": "Dette er en test. Ingenting er galt; bekreft på tavlen at den kom fram.",
        "look": "Se tavlen.",
        "since": ", siden {}",
    },
}


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell one person. ``since`` in ms of the ward's clock, which hangs in ``zone``.

    ``id`` is the same at each attempt, so that a receiver can drop what it has. ``alert``, ``bed``, ``title``
    and ``since`` are None where the channel may not carry them. ``link`` leads to the dashboard.
    """

    id: str
    delivery: int
    ward: str
    priority: str
    kind: str
    reason: str
    level: int
    person: str
    address: str | None
    alert: str | None
    bed: str | None
    title: str | None
    since: int | None
    zone: str | None
    link: str | None
    language: Language = "en"

    @property
    def subject(self) -> str:
        """One line, for mail and lists."""
        words = _WORDS[self.language]
        if self.reason == "test":
            return words["test"].format(self.ward)
        place = words["place"].format(self.ward) + (words["bed"].format(self.bed) if self.bed else "")
        return words.get(self.reason, "") + words[self.priority].format(place)

    @property
    def body(self) -> str:
        """What the subject does not say."""
        words = _WORDS[self.language]
        if self.reason == "test":
            said = words["test-body"]
        elif self.title is None:
            said = words["look"]
        else:
            since = "" if self.since is None else words["since"].format(_hour(self.since, self.zone))
            said = f"{self.title}{since}."
        return f"{said} {self.link}" if self.link else said

    @property
    def text(self) -> str:
        """All of it, for a small screen."""
        return f"{self.subject}. {self.body}"

    def as_json(self) -> dict[str, Any]:
        """For programs: webhooks and MQTT."""
        return {
            "id": self.id,
            "alert": self.alert,
            "ward": self.ward,
            "bed": self.bed,
            "title": self.title,
            "priority": self.priority,
            "kind": self.kind,
            "reason": self.reason,
            "level": self.level,
            "since": iso(self.since),
            "person": self.person,
            "address": self.address,
            "text": self.text,
            "link": self.link,
        }


def message_of(
    delivery: Sending,
    detail: str,
    link: str | None,
    test_to: str | None = None,
    language: Language = "en",
) -> Message:
    """What a channel with this ``detail`` may say of a delivery."""
    shown: Mapping[str, Any] = delivery.text if detail == "bed" else {}
    title = _read(_read(shown, "titles", dict) or {}, language, str) or _read(shown, "title", str)
    return Message(
        id=message_id(delivery.key),
        delivery=delivery.id,
        ward=delivery.ward,
        priority=delivery.priority,
        kind=delivery.kind,
        reason=delivery.reason,
        level=delivery.level,
        person=delivery.person,
        address=delivery.address or (test_to if delivery.reason == "test" else None),
        alert=delivery.alert if detail == "bed" else None,
        bed=_read(shown, "bed", str),
        title=title[:LONGEST] if title else None,
        since=_read(shown, "since", int),
        zone=_read(shown, "zone", str),
        link=link,
        language=language,
    )


def message_id(key: str) -> str:
    """A delivery's key in letters that every header and topic can carry, and with nobody's name in it."""
    return f"ward_{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def _read(values: Mapping[str, Any], name: str, kind: Callable[..., Any]) -> Any:
    value = values.get(name)
    return value if isinstance(value, kind) and not isinstance(value, bool) else None  # type: ignore[arg-type]


def _hour(ms: int, zone: str | None) -> str:
    """On the ward's clock; where none is told, on the machine's."""
    return f"{datetime.fromtimestamp(ms / 1000, ZoneInfo(zone) if zone else None):%H:%M}"
