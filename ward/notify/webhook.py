"""Webhooks, signed as Standard Webhooks has it (https://www.standardwebhooks.com): any of its libraries
verifies them.

The URL is the operator's, from the channels file, and is followed nowhere else: no redirects, no proxy that
the environment names. Nothing of the answer but its status is read.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import ssl
from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import httpx
import msgspec

from ward import __version__
from ward.clock import iso, wall_ms
from ward.notify.channels import Failed, Refused
from ward.notify.message import Message

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = (24, 64)
"""Shortest and longest secret, as the standard has it."""
CONNECT_S: Final = 3.0
ANSWER_S: Final = 5.0
LONGEST_PAUSE_S: Final = 60.0
"""No more of a Retry-After is believed."""
TRY_AGAIN: Final = frozenset({408, 409, 421, 423, 425, 429})
"""Of the 4xx those that another attempt may get over."""


class Webhook:
    """POSTs each message as JSON. ``secrets``: the first signs for the receiver of today; while it is being
    replaced, each further one signs as well."""

    def __init__(
        self,
        url: str,
        secrets: Sequence[bytes],
        *,
        verify: ssl.SSLContext | bool = True,
        proxy: str | None = None,
        wall: Callable[[], int] = wall_ms,
    ) -> None:
        self._url, self._secrets, self._wall = url, tuple(secrets), wall
        self._client = httpx.Client(
            verify=verify,
            proxy=proxy,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
            headers={"user-agent": f"ward/{__version__}"},
        )

    def send(self, message: Message) -> None:
        now = self._wall()
        content = {"type": f"alert.{message.reason}", "timestamp": iso(now), "data": message.as_json()}
        body = msgspec.json.encode(content)
        headers = {"content-type": "application/json", **sign(self._secrets, message.id, now // 1000, body)}
        try:
            with self._client.stream("POST", self._url, content=body, headers=headers) as response:
                status, retry = response.status_code, response.headers.get("retry-after")
        except httpx.TimeoutException:
            raise Failed("no answer in time") from None
        except httpx.HTTPError as error:  # its text may hold the URL
            raise Failed(f"no connection ({type(error).__name__})") from None
        if 200 <= status < 300:
            return
        if status >= 500 or status in TRY_AGAIN:
            raise Failed(f"the other side answered {status}", _seconds(retry, now))
        raise Refused(f"the other side answered {status}")

    def close(self) -> None:
        self._client.close()


def sign(secrets: Sequence[bytes], id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The standard's three headers; ``timestamp`` in s since 1970."""
    signed = f"{id}.{timestamp}.".encode() + body
    made = [base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode() for secret in secrets]
    return {
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{each}" for each in made),
    }


def read_secret(text: str) -> bytes:
    """``whsec_`` and base64 → the secret. Raises ValueError saying what is allowed, not what was given."""
    shortest, longest = SECRET_BYTES
    allowed = f"allowed: {PREFIX} and {shortest} to {longest} bytes in base64"
    if not text.startswith(PREFIX):
        raise ValueError(f"does not begin with {PREFIX}; {allowed}")
    try:
        secret = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"is not base64; {allowed}") from None
    if not shortest <= len(secret) <= longest:
        raise ValueError(f"has {len(secret)} bytes; {allowed}")
    return secret


def check_url(url: str, *, allow_http: bool) -> None:
    """Raises ValueError for what is no https URL, without the URL: it may hold a secret."""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError("is not an http URL; allowed: https://host/path")
    if parts.scheme == "http" and not (allow_http or is_loopback(parts.hostname)):
        raise ValueError("is not encrypted; allowed: https, http to this machine, or allow_http = true")


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _seconds(retry_after: str | None, now: int) -> float | None:
    """A Retry-After in s or as a date; None where there is none that can be read."""
    if retry_after is None:
        return None
    try:
        wanted = float(retry_after) if retry_after.isdigit() else _until(retry_after, now)
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wanted, 0.0), LONGEST_PAUSE_S)


def _until(date: str, now: int) -> float:
    return parsedate_to_datetime(date).timestamp() - now / 1000
