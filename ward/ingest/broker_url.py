"""Where the broker is: ``mqtt://host:1883`` or ``mqtts://user:password@host:8883``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
PROTOCOLS: Final = ("auto", "3.1.1", "5")


@dataclass(frozen=True, slots=True)
class BrokerUrl:
    """A parsed URL. ``protocol`` is ``auto`` (5, and 3.1.1 where the broker does not speak it) or fixed
    by ``?protocol=5``. The password is in no text form of this object."""

    host: str
    port: int
    tls: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    protocol: str = "auto"

    @classmethod
    def parse(cls, url: str) -> BrokerUrl:
        """Raises ValueError, which says what is allowed and never repeats the URL."""
        allowed = "mqtt://host:1883 or mqtts://user:password@host:8883, perhaps with ?protocol=5 or 3.1.1"
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError(f"not the URL of a broker; allowed: {allowed}") from None
        query = parse_qs(parts.query, keep_blank_values=True)
        protocol = query.pop("protocol", ["auto"])[-1]
        if (
            parts.scheme not in PORTS
            or not parts.hostname
            or port == 0
            or query
            or parts.path not in ("", "/")
            or protocol not in PROTOCOLS
        ):
            raise ValueError(f"not the URL of a broker; allowed: {allowed}")
        return cls(
            parts.hostname,
            port or PORTS[parts.scheme],
            parts.scheme == "mqtts",
            None if parts.username is None else unquote(parts.username),
            None if parts.password is None else unquote(parts.password),
            protocol,
        )

    @classmethod
    def places(cls, text: str) -> list[tuple[str, int]]:
        """Addresses without more, ``host:1883,[::1]:1884``, as (host, port). Raises ValueError."""
        parsed = [cls.parse(f"mqtt://{one.strip()}") for one in text.split(",") if one.strip()]
        if any(url.user is not None for url in parsed):
            raise ValueError("user and password are those of mqtt_url; allowed: host:1883,host:1883")
        return [(url.host, url.port) for url in parsed]

    def __str__(self) -> str:
        """Without user and password."""
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"
