"""The topics of the public contract, section 2."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

PREFIX: Final = "ward/v1/"
VITALS: Final = "vitals"
STATUS: Final = "status"
SUBSCRIPTIONS: Final = (f"{PREFIX}+/+/{VITALS}", f"{PREFIX}+/+/{STATUS}")
MAX_NAME: Final = 128


class Address(NamedTuple):
    ward: str
    device: str
    kind: str
    """``vitals`` or ``status``."""


@lru_cache(20_000)
def parse_topic(topic: str) -> Address | None:
    """Who speaks on this topic, or None where it is none of ours."""
    parts = topic.split("/")
    if len(parts) != 5 or parts[0] != "ward" or parts[1] != "v1" or parts[4] not in (VITALS, STATUS):
        return None
    ward, device = parts[2], parts[3]
    if not (is_name(ward) and is_name(device)):
        return None
    return Address(ward, device, parts[4])


def is_name(text: str) -> bool:
    """Whether a ward or device may be called so: 1 to 128 printable characters, none of ``/ + #``, no ``$``
    first (brokers keep that for themselves), no blank at either end."""
    return (
        0 < len(text) <= MAX_NAME
        and text.isprintable()
        and text.strip() == text
        and text[0] != "$"
        and not any(c in "/+#" for c in text)
    )


def alerts_topic(ward: str) -> str:
    return f"{PREFIX}{ward}/alerts"


def notices_topic(ward: str, channel: str) -> str:
    """Where people are told through a channel of the broker's."""
    return f"{PREFIX}{ward}/notify/{channel}"
