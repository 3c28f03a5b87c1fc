"""The channels file: TOML, with the operator's secrets in it, so readable by its owner only.

    [dashboard]                     # always there; only its give_up can be set
    give_up = "30s"

    [channels.pager]
    kind = "webhook"                # webhook, mqtt or apprise
    url = "https://pager.example.org/hook"
    secret = "whsec_…"

An unreadable file is refused whole, with the file, the place and what is allowed, and without what was given
there: it may be a secret.
"""

from __future__ import annotations

import os
import re
import ssl
import stat
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

from ward.alerts.durations import parse_duration
from ward.errors import InvalidError
from ward.notify.apprise import AppriseChannel
from ward.notify.channels import Channel, Configured
from ward.notify.dashboard import Dashboard, Publish
from ward.notify.message import DETAILS
from ward.notify.mqtt import MqttChannel
from ward.notify.webhook import Webhook, check_url, read_secret
from ward.store.deliveries import DASHBOARD

NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
TAKEN: Final = frozenset({DASHBOARD, "vitals", "status"})
"""Devices publish under the last two: one that is called *notify* could speak as such a channel."""
SHOWN_WITHIN: Final = 30_000
"""An open dashboard shows an alert at once; where none has after so long, somebody else must be told."""
GIVE_UP_RANGE: Final = (5_000, 3_600_000)
PARALLEL: Final = 4
MOST_PARALLEL: Final = 16
"""A thread each."""


class ChannelsFileError(InvalidError):
    """The channels file cannot be used; the detail says where and why, and holds no secret."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What channels need of the service: ways to the broker and to the open dashboards."""

    publish: Callable[[str, bytes], bool] = lambda topic, payload: False
    notice: Publish = lambda ward, notice: 0


@dataclass(slots=True)
class _Place:
    """One table of the file: takes its fields one by one, and refuses what nobody took."""

    file: str
    name: str
    values: dict[str, Any]
    taken: set[str] = field(default_factory=set)

    def refuse(self, key: str, why: str) -> NoReturn:
        raise ChannelsFileError(f"{self.file}: [{self.name}] {key} {why}")

    def take(self, key: str, kind: type, default: Any = None) -> Any:
        self.taken.add(key)
        if key not in self.values:
            return default
        value = self.values[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.refuse(key, f"is not {_KINDS[kind]}")
        return value

    def need(self, key: str, kind: type) -> Any:
        if key not in self.values:
            self.refuse(key, "is missing")
        return self.take(key, kind)

    def choose(self, key: str, allowed: tuple[str, ...], default: str) -> str:
        value = str(self.take(key, str, default))
        if value not in allowed:
            self.refuse(key, f"is not one of: {', '.join(allowed)}")
        return value

    def period(self, key: str, default: int | None, allowed: tuple[int, int]) -> int | None:
        text = self.take(key, str)
        if text is None:
            return default
        try:
            ms = parse_duration(text)
        except ValueError:
            self.refuse(key, 'is not a duration such as "30s" or "2m"')
        if not allowed[0] <= ms <= allowed[1]:
            self.refuse(key, f"is not between {allowed[0] // 1000} s and {allowed[1] // 1000} s")
        return ms

    def done(self) -> None:
        unknown = sorted(self.values.keys() - self.taken)
        if unknown:
            self.refuse(unknown[0], f"is not known; allowed: {', '.join(sorted(self.taken))}")


_KINDS: Final[Mapping[type, str]] = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    dict: "a table",
}


def load_channels(path: Path | None, parts: Parts) -> dict[str, Configured]:
    """Every channel by its name; without a file the dashboard alone. Raises ``ChannelsFileError``."""
    content = {} if path is None else _read(path)
    file = _Place(str(path), "", content)
    own = _Place(str(path), "dashboard", file.take("dashboard", dict, {}))
    give_up = own.period("give_up", SHOWN_WITHIN, GIVE_UP_RANGE)
    own.done()
    found = {
        DASHBOARD: Configured(
            DASHBOARD, DASHBOARD, Dashboard(parts.notice), give_up, PARALLEL, "bed", confirmed=True
        ),
    }
    for name, values in file.take("channels", dict, {}).items():
        if not isinstance(values, dict):
            raise ChannelsFileError(f"{path}: channels.{name} is not a table")
        place = _Place(str(path), f"channels.{name}", values)
        if not NAME.fullmatch(name) or name in TAKEN:
            place.refuse(
                "", f"is no name for a channel; allowed: a-z 0-9 _ -, not {', '.join(sorted(TAKEN))}"
            )
        found[name] = _channel(name, place, parts)
    file.done()
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise ChannelsFileError(
                    f"{path}: holds secrets and others may read it (mode {mode:o}): chmod 600 {path}"
                )
            return tomllib.load(file)
    except OSError as error:
        raise ChannelsFileError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ChannelsFileError(f"{path}: not TOML: not UTF-8") from None
    except (ValueError, RecursionError) as error:
        where = re.search(r"\(at .*\)$", str(error))  # the rest may quote a secret
        raise ChannelsFileError(f"{path}: not TOML {where[0] if where else ''}".rstrip()) from None


def _channel(name: str, place: _Place, parts: Parts) -> Configured:
    kind = place.choose("kind", tuple(_MAKERS), "")
    channel = _MAKERS[kind](name, place, parts)
    made = Configured(
        name,
        kind,
        channel,
        give_up=place.period("give_up", None, GIVE_UP_RANGE),
        parallel=place.take("parallel", int, PARALLEL),
        detail=place.choose("detail", DETAILS, "bed" if kind == "mqtt" else "none"),
        test_to=place.take("test_to", str),
    )
    if not 1 <= made.parallel <= MOST_PARALLEL:
        place.refuse("parallel", f"is not between 1 and {MOST_PARALLEL}")
    place.done()
    return made


def _webhook(name: str, place: _Place, parts: Parts) -> Channel:
    url = place.need("url", str)
    try:
        check_url(url, allow_http=place.take("allow_http", bool, False))
    except ValueError as error:
        place.refuse("url", str(error))
    secrets = [place.need("secret", str)]
    old = place.take("next_secret", str)
    secrets += [] if old is None else [old]
    read = []
    for key, text in zip(("secret", "next_secret"), secrets, strict=False):
        try:
            read.append(read_secret(text))
        except ValueError as error:
            place.refuse(key, str(error))
    authority, proxy = place.take("ca_file", str), place.take("proxy", str)
    try:
        verify = True if authority is None else ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError):
        place.refuse("ca_file", "is not a file of certificates (PEM) that can be read")
    try:
        return Webhook(url, read, verify=verify, proxy=proxy)
    except Exception:  # httpx has several, and their texts hold the URL
        place.refuse("proxy" if proxy else "url", "cannot be used; allowed: http://host:port")


def _mqtt(name: str, place: _Place, parts: Parts) -> Channel:
    return MqttChannel(name, parts.publish)


def _apprise(name: str, place: _Place, parts: Parts) -> Channel:
    channel = AppriseChannel(place.need("url", str))
    try:
        channel.check()
    except ValueError as error:
        place.refuse("url", str(error))
    return channel


_MAKERS: Final[Mapping[str, Callable[[str, _Place, Parts], Channel]]] = {
    "webhook": _webhook,
    "mqtt": _mqtt,
    "apprise": _apprise,
}
