"""Channels, what was told through them, and how long it took."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from ward.web.schemas.common import Answer, Line, Moment, Name, Request

LARGEST_ID: Final = 2**63 - 1


class NewTest(Request):
    """A test alert now."""

    ward: Name = Field(description="Whose plan says who is told.", examples=["6A"])
    channel: Line | None = Field(
        None, description="Only through this one; default: every channel.", examples=["pager"]
    )


class Shown(Request):
    """What a page shows."""

    ids: list[Annotated[int, Field(ge=1, le=LARGEST_ID)]] = Field(
        min_length=1, max_length=500, description="Of the `notice` events.", examples=[[17, 18]]
    )


class Delivery(Answer):
    """One person, one channel: whether she was told of an alert."""

    id: int
    reason: str = Field(
        description="first, priority, signal, again, reminder, escalation, undelivered or resolved.",
        examples=["first"],
    )
    level: int = Field(description="Of the ward's plan, from 0.", examples=[0])
    person: str = Field(description="Her id in the ward's plan.", examples=["ada"])
    name: str = Field(examples=["Ada Lovelace"])
    channel: str = Field(examples=["pager"])
    state: Literal["waiting", "sent", "failed", "dropped"] = Field(
        description="sent: the channel took it (dashboard: a page shows it). failed: not delivered. "
        "dropped: nobody needed it any more."
    )
    created_at: Moment
    sent_at: Moment | None = None
    signal_delay_s: float | None = Field(
        None, description="From raised to sent; null while the ward's clock is not the machine's."
    )
    attempts: int
    shown_by: str | None = Field(None, description="Whose page said that it shows it.")
    error: str | None = Field(None, examples=["no answer in time"])


class Screen(Answer):
    """A page said that it shows a test alert."""

    name: str = Field(description="As whom it is logged in.", examples=["wall 6A"])
    at: Moment


class Test(Answer):
    """A test alert to one person through one channel, and the record that it arrived."""

    id: int
    ward: str
    batch: str | None = Field(None, description="What was tested together.")
    person: str = Field(examples=["ada"])
    name: str
    channel: str = Field(examples=["pager"])
    state: Literal["waiting", "sent", "failed", "dropped"]
    created_at: Moment
    sent_at: Moment | None = Field(None, description="When the channel took it.")
    attempts: int
    shown_by: str | None = None
    error: str | None = None
    screens: list[Screen] = Field(
        default_factory=list, description="Of the channel `dashboard`: every login whose page showed it."
    )
    seen_at: Moment | None = Field(None, description="When a person said that she saw it.")
    seen_by: str | None = None


class Tests(Answer):
    """What was put in line."""

    items: list[Test]


class Failure(Answer):
    """The last that was given up."""

    at: Moment
    ward: str
    error: str | None


class Channel(Answer):
    """One way to people; never its address or its secrets."""

    name: str = Field(examples=["pager"])
    kind: Literal["dashboard", "webhook", "mqtt", "apprise"]
    detail: Literal["bed", "none"] = Field(description="What it may carry.")
    give_up_s: float | None = Field(description="How long one delivery is tried; null: as the plan says.")
    broken_since: Moment | None = Field(description="Since when nothing gets through; null: it works.")
    last_sent_at: Moment | None = Field(description="Since the service was started.")
    last_error: str | None
    last_error_at: Moment | None
    waiting: int = Field(description="Deliveries that are not through.")
    last_test: Test | None
    last_failure: Failure | None


class Delay(Answer):
    """An alert and one delivery of it; an alert that nobody was to be told of has one line all the same."""

    alert: str = Field(examples=["0b6c1a52-6d0b-5c0e-9d5c-3f0b8f3e7a11"])
    ward: str | None
    bed: str | None
    rule: str
    priority: str = Field(examples=["high"])
    kind: str
    late: bool
    breach_since: Moment | None
    raised_at: Moment | None
    announced_at: Moment | None
    condition_delay_s: float | None = Field(description="From sustained (`raised_at`) to `announced_at`.")
    reason: str | None
    level: int | None
    person: str | None
    channel: str | None
    state: str | None
    sent_at: Moment | None
    signal_delay_s: float | None = Field(description="From sustained to taken by the person's channel.")


class Delays(Answer):
    """All of the asked time, the earliest alert first."""

    items: list[Delay]
