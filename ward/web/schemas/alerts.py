"""Alerts: their life, and what a person does with them."""

from __future__ import annotations

from typing import Final, Literal, get_args

from pydantic import Field, model_validator

from ward.web.schemas.common import TITLES, Answer, InLanguages, Line, Moment, Note, Request
from ward.web.schemas.notices import Delivery

Assessment = Literal["actionable", "not-actionable", "artefact"]
State = Literal["pending", "active", "acknowledged", "returned", "shelved", "suppressed", "closed"]
STATES: Final = get_args(State)
MAX_SHELF_MIN: Final = 60


class Acknowledge(Request):
    """I take it."""

    assessment: Assessment | None = Field(
        None,
        description="`artefact` also ends the episode. Left out: go first, say later (`/assess`).",
        examples=["actionable"],
    )
    note: Note | None = Field(None, examples=["on my way"])


class Assess(Request):
    """What it was, and whatever is worth writing down; also when the alert is over."""

    assessment: Assessment | None = Field(None, examples=["not-actionable"])
    note: Note | None = Field(None, examples=["cuff too small"])

    @model_validator(mode="after")
    def something(self) -> Assess:
        if self.assessment is None and not self.note:
            raise ValueError("an assessment or a note is needed")
        return self


class HandOver(Request):
    """A colleague has it."""

    to: Line = Field(
        description="Her name, or `person`, as `GET /wards/{ward}/assignments` has it.",
        examples=["Bo Hansen"],
    )
    note: Note | None = Field(None, examples=["I am in theatre"])


class Shelve(Request):
    """Mute this rule for this stay. It always expires."""

    minutes: int = Field(ge=1, le=MAX_SHELF_MIN, strict=True, examples=[30])
    reason: Line | None = Field(None, examples=["physiotherapy"])


class Pending(Answer):
    """In breach, not yet sustained: nobody is told."""

    id: str
    rule: str = Field(examples=["spo2-below-88"])
    title: str = Field(examples=["SpO2 below 88 % for 10 min"])
    titles: InLanguages = Field(default_factory=dict, description=TITLES)
    priority: Literal["high", "medium", "low"]
    kind: Literal["physiological", "technical"]
    state: Literal["pending", "suppressed"]
    since: Moment
    left_s: float | None = Field(None, description="Seconds of breach until it is raised.", examples=[123])
    due_at: Moment | None = Field(
        None,
        description="When it is raised if the breach goes on; null while that is not known.",
    )
    held_by: Literal["pause"] | None = Field(
        None, description="`pause`: it is sustained, and nobody is told while the patient is away."
    )
    signal: str | None = None
    value: float | None = None


class Undelivered(Answer):
    """Whom a channel could not tell of an alert."""

    person: str = Field(description="Their id in the ward's plan.", examples=["ada"])
    channel: str = Field(examples=["pager"])


class Alert(Answer):
    """One raised rule of one stay (or one that is about to be, with `state` pending)."""

    id: str
    stay: str | None
    ward: str | None
    bed: str | None
    rule: str = Field(examples=["spo2-below-88"])
    title: str = Field(examples=["SpO2 below 88 % for 10 min"])
    titles: InLanguages = Field(default_factory=dict, description=TITLES)
    priority: Literal["high", "medium", "low"]
    kind: Literal["physiological", "technical"]
    state: State = Field(examples=["active"])
    signal: str | None = Field(None, examples=["spo2"])
    value: float | None = Field(None, description="Of the signal when it was raised.", examples=[86])
    breach_since: Moment | None = Field(None, description="When the breach that was sustained began.")
    raised_at: Moment | None = Field(None, description="The instant it was sustained, by device time.")
    announced_at: Moment | None = Field(None, description="When staff were told; late data are told late.")
    acknowledged_at: Moment | None = None
    acknowledged_by: str | None = None
    assessment: Assessment | None = None
    note: str | None = None
    handed_over_by: str | None = Field(
        None, description="Who gave it to `acknowledged_by`, who has not confirmed yet that she has it."
    )
    handed_over_at: Moment | None = None
    cleared_at: Moment | None = None
    closed_at: Moment | None = None
    close_reason: str | None = None
    shelved_until: Moment | None = None
    shelved_by: str | None = None
    shelve_reason: str | None = None
    suppressed_by: str | None = Field(None, description="The alert's or rule's id that inhibits it.")
    episode: str | None = None
    late: bool = Field(False, description="Raised from readings that arrived late.")
    undelivered: list[Undelivered] = Field(
        default_factory=list, description="Who could not be told of it, and through which channel."
    )
    signals: list[str] = Field(
        default_factory=list, description="All that the rule looks at.", examples=[["spo2"]]
    )
    left_s: float | None = Field(None, description="While pending: seconds of breach until it is raised.")
    in_breach: bool | None = Field(
        None, description="In a stay's view: whether the condition holds now. Null where that is not known."
    )


class LogEntry(Answer):
    """One line of the append-only log: who, when, what, before, after."""

    seq: int
    at: Moment
    stay: str | None = None
    ward: str | None = None
    alert: str | None = None
    kind: str
    by: str | None = None
    before: object = None
    after: object = None
    detail: object = None
    notify: str | None = Field(
        None, description="Why staff were interrupted with it; null: they were not.", examples=["first"]
    )


class StayLogEntry(LogEntry):
    """A line of a stay's log; of an alert it says which."""

    title: str | None = Field(None, description="Of the alert.", examples=["SpO2 below 88 % for 10 min"])
    titles: dict[str, str] = Field(default_factory=dict, description="The same in other languages.")
    priority: Literal["high", "medium", "low"] | None = None
    of: Literal["physiological", "technical"] | None = Field(None, description="The alert's kind.")


class AlertWithLog(Alert):
    """An alert, whom it was told to, and everything that happened to it."""

    condition_delay_s: float | None = Field(
        None, description="From sustained (`raised_at`) to told of (`announced_at`).", examples=[2.1]
    )
    deliveries: list[Delivery] = Field(
        default_factory=list, description="Who was told of it, or was to be told, the earliest first."
    )
    episode_deliveries: list[Delivery] = Field(
        default_factory=list,
        description="Who was told of other alerts of its episode. An alert that brings nothing new in an "
        "episode that was told already interrupts nobody: then these are all that there are.",
    )
    log: list[LogEntry] = Field(default_factory=list, description="What happened to it, oldest first.")
