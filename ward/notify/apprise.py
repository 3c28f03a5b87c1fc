"""Mail, SMS, Teams, pagers, ntfy and the rest, through Apprise: one URL says which service and how."""

from __future__ import annotations

import logging
import re
import warnings
from typing import Any, Final
from urllib.parse import quote, urlsplit

from ward.notify.channels import Failed, Refused
from ward.notify.message import Message

PLACE: Final = "{address}"
"""Stands in the URL where a person's address goes."""
ADDRESS: Final = re.compile(r"[^\s,;\x00-\x1f\x7f]{1,200}")
"""One address, not a list of them."""
TIMEOUT_S: Final = 10.0
STATUS: Final = re.compile(r"\berror=(\d{3})\b")
_SAMPLE: Final = "4915112345678"


class AppriseChannel:
    """Sends to ``url``. Apprise's own log is kept silent: it may hold URLs, with their passwords."""

    def __init__(self, url: str) -> None:
        self._apprise: Any = _library()
        self._url = url
        self._asset = self._apprise.AppriseAsset(
            app_id="ward", app_desc="ward", app_url="", secure_logging=True, storage_mode="memory"
        )

    def send(self, message: Message) -> None:
        service = self._service(self._url_for(message.address))
        if service is None:
            raise Refused("Apprise does not understand the URL with this address")
        kind = self._apprise.NotifyType
        result = service.notify(
            body=message.body,
            title=message.subject,
            notify_type=kind.FAILURE if message.priority == "high" else kind.WARNING,
            body_format=self._apprise.NotifyFormat.TEXT,
            timeout=TIMEOUT_S,
            log_level=logging.WARNING,
        )
        if not result:
            raise Failed(_why(result))

    def close(self) -> None:
        """Each message has a connection of its own."""

    def check(self) -> None:
        """Raises ValueError, without the URL, for one that Apprise does not know."""
        parts = urlsplit(self._url)
        if PLACE in parts.scheme or PLACE in parts.netloc:
            raise ValueError(f"has {PLACE} in the name of the host; allowed: behind it")
        if self._service(self._url.replace(PLACE, _SAMPLE)) is None:
            raise ValueError(f"is not a URL that Apprise understands (it begins with {parts.scheme}://)")

    def _url_for(self, address: str | None) -> str:
        if PLACE not in self._url:
            return self._url
        if address is None:
            raise Refused("the person has no address for this channel")
        if not ADDRESS.fullmatch(address):
            raise Refused("the person's address for this channel is not one address")
        return self._url.replace(PLACE, quote(address, safe=""))

    def _service(self, url: str) -> Any:
        """One for each message: a shared one would make senders wait for each other."""
        made = self._apprise.Apprise(asset=self._asset)
        return made if made.add(url) else None


def _library() -> Any:
    """Apprise with all its services, read only where a channel needs them: that takes a second."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # for a module of Python's that it shims
        import apprise

        apprise.Apprise.instantiate("json://localhost")
    log = logging.getLogger("apprise")
    log.propagate = False
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    return apprise


def _why(result: Any) -> str:
    """What the log of this one attempt tells, as far as it can be shown."""
    if result.status == type(result.status).TIMEOUT:
        return "no answer in time"
    for entry in result.logs():
        found = STATUS.search(str(getattr(entry, "message", entry)))
        if found:
            return f"the service answered {found[1]}"
    return "the service did not take it"
