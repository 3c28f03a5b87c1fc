"""How people come in: for how long, and through whom. From the settings; tests make their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from ward.config import Settings, SettingsError
from ward.signals import HOUR, MINUTE

NEAR: Final = frozenset({"127.0.0.1", "localhost", "::1"})
ROLES: Final = ("admin", "clinician", "nurse")
"""Roles of people, the one that may most first."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What one value of the claim stands for: a role in ``wards`` (None: every ward)."""

    role: str
    wards: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Oidc:
    """The hospital's own log-in. ``grants``: from a value of ``claim`` to what it stands for."""

    issuer: str
    client_id: str
    client_secret: str | None
    grants: dict[str, Grant]
    claim: str = "groups"
    name: str = "Hospital log-in"
    scope: str = "openid profile"


@dataclass(frozen=True, slots=True)
class Doors:
    """``session_ms``: how long one may act after logging in; ``idle_ms``: without touching anything (0: no
    limit). Then the board stays, to look at. ``public_url``: where browsers find the service, if it is not
    where they say."""

    session_ms: int = 12 * HOUR
    idle_ms: int = 15 * MINUTE
    public_url: str | None = None
    oidc: Oidc | None = None


def doors_of(settings: Settings) -> Doors:
    """Raises SettingsError where the settings of the hospital's log-in do not fit together."""
    return Doors(
        session_ms=round(settings.session_hours * HOUR),
        idle_ms=round(settings.session_idle_min * MINUTE),
        public_url=settings.public_url.rstrip("/") if settings.public_url else None,
        oidc=_oidc(settings),
    )


def _oidc(settings: Settings) -> Oidc | None:
    if settings.oidc_issuer is None:
        return None
    if settings.oidc_client_id is None:
        raise SettingsError("oidc_client_id: needed with oidc_issuer; the log-in gives it with its secret")
    grants = parse_grants(settings.oidc_grants or "")
    if not grants:
        raise SettingsError(
            "oidc_grants: without it nobody may come in through oidc_issuer; allowed: "
            "'value=role:ward,ward; value=role', such as 'ward-6a=nurse:6A; doctors=clinician'"
        )
    return Oidc(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=_secret(settings.oidc_client_secret, settings.oidc_client_secret_file),
        grants=grants,
        claim=settings.oidc_claim,
        name=settings.oidc_name,
        scope=settings.oidc_scope,
    )


def _secret(given: str | None, file: Path | None) -> str | None:
    if file is None:
        return given
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"oidc_client_secret_file = {str(file)!r}: cannot be read ({error})") from error


def parse_grants(text: str) -> dict[str, Grant]:
    """``"ward-6a=nurse:6A,6B; doctors=clinician"`` → grants by value. Raises SettingsError."""
    grants: dict[str, Grant] = {}
    for part in filter(None, (piece.strip() for piece in text.replace("\n", ";").split(";"))):
        value, equals, what = part.rpartition("=")
        role, _, listed = what.partition(":")
        wards = frozenset(filter(None, (ward.strip() for ward in listed.split(","))))
        role, value = role.strip(), value.strip()
        if not equals or not value or role not in ROLES:
            raise SettingsError(f"oidc_grants: {part!r}; allowed: 'value=role' with {', '.join(ROLES)}")
        if role == "nurse" and not wards:
            raise SettingsError(f"oidc_grants: {part!r}: a nurse needs wards, such as 'nurse:6A,6B'")
        grants[value] = Grant(role, wards or None)
    return grants


def address_of(settings: Settings) -> str:
    """Where people find the dashboard, without a slash at its end."""
    here = f"http://{settings.http_host}:{settings.http_port}{settings.root_path}"
    return (settings.public_url or here).rstrip("/")


def is_trusted_address(url: str) -> bool:
    """https, or http on this machine."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in NEAR)
    )
