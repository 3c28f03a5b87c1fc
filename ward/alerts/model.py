"""What the alert book keeps and tells: alerts, events, notifications. Values only; times in ms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import UUID, uuid5

from ward.alerts.plan import Recipient
from ward.language import Titles
from ward.scoring.rules import Kind, Priority

State = Literal["pending", "active", "acknowledged", "returned", "shelved", "suppressed", "closed"]
STATES: Final[tuple[State, ...]] = (
    "pending",
    "active",
    "acknowledged",
    "returned",
    "shelved",
    "suppressed",
    "closed",
)
ASSESSMENTS: Final = ("actionable", "not-actionable", "artefact")
REPEATS: Final = frozenset({"reminder", "escalation", "undelivered"})
"""Reasons (of ``Notify``) by which staff are told again, or others are; all the rest interrupt anew."""
RANK: Final[dict[Priority, int]] = {"low": 1, "medium": 2, "high": 3}

_NAMESPACE: Final = UUID("6f0e1a52-6d0b-5c0e-9d5c-3f0b8f3e7a11")


def alert_id(stay: str, rule: str, since: int, again: int = 0) -> str:
    """The same breach of the same rule has the same id, also when a crash made us find it twice.

    ``again`` counts further records of one breach (a flag that closed the alert and was removed).
    """
    return str(uuid5(_NAMESPACE, f"{stay}\n{rule}\n{since}" + (f"\n{again}" if again else "")))


def episode_id(alert: str, since: int | None, began: int) -> str:
    """Of the episode that an alert with that ``breach_since`` begins."""
    return str(uuid5(_NAMESPACE, f"episode\n{alert}\n{since}\n{began}"))


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A person whom a channel could not tell of the alert; ids as the ward's plan names them."""

    person: str
    channel: str


@dataclass(frozen=True, slots=True)
class Alert:
    """One raised rule of one stay.

    ``signal`` and ``value`` are what was measured when it was raised. ``raised_at`` is the instant at
    which the breach was sustained, ``announced_at`` when the service said so (None while nobody was
    told). ``late``: found only when stored readings arrived. ``sustained``: raised and not cleared
    since. The acknowledgement is the one in force; broken ones are in the events. ``handed_over_by``:
    somebody gave it to ``acknowledged_by``, who has not confirmed that yet. ``undelivered``: who could not
    be told of it. ``signals``: all that the rule looked at. ``titles``: the rule's, in the languages that
    it has them in.
    """

    id: str
    stay: str
    ward: str
    bed: str
    rule: str
    title: str
    priority: Priority
    kind: Kind
    state: State
    signal: str | None = None
    value: float | None = None
    breach_since: int | None = None
    raised_at: int | None = None
    announced_at: int | None = None
    acknowledged_at: int | None = None
    acknowledged_by: str | None = None
    assessment: str | None = None
    note: str | None = None
    handed_over_by: str | None = None
    handed_over_at: int | None = None
    cleared_at: int | None = None
    closed_at: int | None = None
    close_reason: str | None = None
    shelved_until: int | None = None
    shelved_by: str | None = None
    shelve_reason: str | None = None
    suppressed_by: str | None = None
    episode: str | None = None
    late: bool = False
    sustained: bool = False
    undelivered: tuple[Undelivered, ...] = ()
    titles: Titles = ()
    signals: tuple[str, ...] = ()

    @property
    def latching(self) -> bool:
        """A raised high alert that nobody has acknowledged: it may not vanish by clearing."""
        return self.priority == "high" and self.raised_at is not None and self.acknowledged_at is None


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the append-only log. ``alert`` is None where the change is the stay's (a pause, the
    end of an episode); ``by`` is None where no person did it; ``before`` and ``after`` are states.
    ``notify``: why staff were interrupted with it, set where it is stored; None: they were not."""

    at: int
    stay: str
    ward: str
    alert: str | None
    kind: str
    by: str | None = None
    before: str | None = None
    after: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    notify: str | None = None


@dataclass(frozen=True, slots=True)
class Notify:
    """Staff are to be interrupted.

    ``reason``: first | priority | signal (contract 6), again (a returned or shelved high alert is
    active anew), reminder, escalation, undelivered. ``key`` is unique for what a person should hear
    once; whoever delivers uses it to drop repeats.
    """

    reason: str
    episode: str | None
    priority: Priority
    key: str


@dataclass(frozen=True, slots=True)
class Tell:
    """Who is to be told by the ward's plan, through which channels.

    ``key`` is that of what is told; with a recipient's it is what that person should hear once
    through that channel. ``level``: the plan's; ``missed``: levels passed over as nobody is on duty.
    """

    reason: str
    key: str
    level: int
    to: tuple[Recipient, ...]
    missed: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A new value of an alert (None: the change is the stay's), its event, whether to interrupt, and whom
    to tell. ``resolved``: the episode that is over with this, and nothing of it is open any more."""

    alert: Alert | None
    event: Event
    notify: Notify | None = None
    tell: Tell | None = None
    resolved: str | None = None


@dataclass(frozen=True, slots=True)
class StayState:
    """What the book must know of a stay."""

    id: str
    ward: str
    bed: str
    flags: frozenset[str] = frozenset()
    ended: bool = False
    paused_until: int | None = None
    paused_at: int | None = None
    away_for: str | None = None
    """why the patient is away, as long as she is"""
    away_by: str | None = None
