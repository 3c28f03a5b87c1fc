"""Rows of the database as the API's JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from ward.alerts.model import Alert
from ward.clock import iso
from ward.store import access, letters, people, rules, stays
from ward.store.events import Logged
from ward.web.access import CAPABILITIES, Principal
from ward.web.service_protocol import Board, Json

ALERT_TIMES: Final = (
    "breach_since",
    "raised_at",
    "announced_at",
    "acknowledged_at",
    "handed_over_at",
    "cleared_at",
    "closed_at",
    "shelved_until",
)


def alert_view(alert: Alert) -> Json:
    view = asdict(alert)
    del view["sustained"]
    view["titles"] = dict(alert.titles)
    for name in ("stay", "ward", "bed"):  # a fault of the service is no patient's
        view[name] = view[name] or None
    for name in ALERT_TIMES:
        view[name] = iso(view[name])
    return view


def pending_as_alert(stay: Mapping[str, Any], pending: Mapping[str, Any]) -> Json:
    """What is not yet raised, in the shape of an alert, so that one list can hold both."""
    shown = {name: pending.get(name) for name in ("id", "rule", "title", "priority", "kind", "state")}
    shown["titles"] = pending.get("titles") or {}
    place = {"stay": stay["id"], "ward": stay["ward"], "bed": stay["bed"]}
    measured = {name: pending.get(name) for name in ("signal", "value", "left_s", "suppressed_by")}
    return {**_NOTHING, **shown, **place, **measured, "breach_since": pending.get("since")}


_NOTHING: Final[Json] = {
    **dict.fromkeys((*ALERT_TIMES, "acknowledged_by", "assessment", "note", "close_reason")),
    **dict.fromkeys(("handed_over_by", "shelved_by", "shelve_reason", "suppressed_by", "episode")),
    "late": False,
    "undelivered": [],
    "signals": [],
}


def event_view(logged: Logged) -> Json:
    event = logged.event
    view = asdict(event) | {"at": iso(event.at), "stay": event.stay or None, "ward": event.ward or None}
    return {"seq": logged.seq, **view}


def stay_view(board: Board, stay: stays.Stay) -> Json:
    """The board's view of an open stay; of one that is over, what the database holds."""
    if stay.end is None and stay.id in board.stays:
        return dict(board.stays[stay.id])
    return stored_stay_view(stay, stay.end if stay.end is not None else board.time)


def stored_stay_view(stay: stays.Stay, time: int) -> Json:
    """What the database knows of a stay, with nothing that only the running core knows."""
    return {
        "id": stay.id,
        "ward": stay.ward,
        "bed": stay.bed,
        "patient_ref": stay.patient_ref,
        "admitted_at": iso(stay.start),
        "discharged_at": iso(stay.end),
        "flags": list(stay.flags),
        "paused_until": iso(stay.paused_until),
        "paused_reason": None,
        "paused_by": None,
        "devices": [shown for _, shown in devices_of(stay)],
        "signals": {},
        "news2": None,
        "risk": None,
        "alerts": [],
        "pending": [],
        "priority": None,
        "limits": [],
        "carer": None,
        "carer_before": None,
        "time": iso(time),
    }


WHERE: Final = frozenset({"id", "ward", "bed", "admitted_at", "discharged_at", "paused_until", "time"})
"""What of a stay tells where somebody is, and nothing of who and how she is."""
PARTS_OF_STAY: Final[Mapping[str, frozenset[str]]] = {
    "read:vitals": frozenset({"signals", "news2", "risk"}),
    "read:alerts": frozenset({"alerts", "pending", "priority"}),
}
"""What else of it each capability shows."""


def as_read_by(stay: Json, who: Principal) -> Json:
    """A stay's view for who may list stays: the parts that she may read, the others empty."""
    if who.may("read"):
        return stay
    shown = WHERE.union(*(names for capability, names in PARTS_OF_STAY.items() if who.may(capability)))
    return {name: value if name in shown else _empty(value) for name, value in stay.items()}


def _empty(value: Any) -> Any:
    return type(value)() if isinstance(value, list | dict) else None


def devices_of(stay: stays.Stay) -> list[tuple[stays.Assigned, Json]]:
    unheard = dict.fromkeys(("online", "last_seen_at", "offset_s"))
    return [
        (d, {"device": d.device, "since": iso(d.start), "until": iso(d.end), **unheard}) for d in stay.devices
    ]


def letter_view(letter: letters.DeadLetter) -> Json:
    return {
        "id": letter.id,
        "received_at": iso(letter.received),
        "topic": letter.topic,
        "reason": letter.reason,
        "detail": letter.detail,
        "payload": letter.payload.decode("utf-8", "replace"),
        "ward": letter.ward,
        "device": letter.device,
    }


def version_view(version: rules.RuleVersion) -> Json:
    return {**asdict(version), "at": iso(version.at), "until": iso(version.until)}


def token_view(token: access.Token) -> Json:
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role,
        "wards": token.wards,
        "scopes": token.scopes,
        "created_at": iso(token.created),
        "expires_at": iso(token.expires),
        "revoked_at": iso(token.revoked),
    }


def who_view(who: Principal, log_out_url: str | None = None) -> Json:
    return {
        "name": who.name,
        "role": who.role,
        "wards": None if who.wards is None else sorted(who.wards),
        "may": [capability for capability in CAPABILITIES if who.may(capability)],
        "limited": who.limited,
        "acts_until": iso(who.until),
        "expires_at": iso(who.expires),
        "account": who.user is not None,
        "log_out_url": log_out_url,
    }


def user_view(
    user: people.User, sessions: tuple[int, int] | None = None, locked_until: int | None = None
) -> Json:
    """``sessions``: how many are open, and when she was seen last."""
    return {
        "sessions": sessions[0] if sessions else 0,
        "last_seen_at": iso(sessions[1]) if sessions else None,
        "locked_until": iso(locked_until),
        "id": user.id,
        "login": user.login,
        "name": user.name,
        "role": user.role,
        "wards": user.wards,
        "created_at": iso(user.created),
        "disabled_at": iso(user.disabled),
        "has_password": user.password is not None,
        "password_changed_at": iso(user.password_changed),
        "issuer": user.issuer,
    }
