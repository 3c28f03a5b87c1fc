"""Devices, and what was refused."""

from __future__ import annotations

from pydantic import Field

from ward.web.schemas.common import Answer, Moment


class Device(Answer):
    """Whatever publishes readings."""

    id: str = Field(description="`ward/device`", examples=["6A/mon-12"])
    ward: str = Field(examples=["6A"])
    device: str = Field(examples=["mon-12"])
    stay: str | None = Field(None, description="Null where it is nobody's.")
    online: bool | None = Field(None, description="As it announced; null when it never did.")
    session: str | None = None
    first_seen_at: Moment | None = None
    last_seen_at: Moment | None = Field(None, description="When anything of it arrived last.")
    last_time: Moment | None = Field(None, description="Its newest reading's own time.")
    offset_s: float | None = Field(None, description="Its clock's measured offset, seconds.")
    intervals: dict[str, float] = Field(default_factory=dict, description="Declared, in seconds.")
    readings: int = 0
    duplicates: int = 0


class DeadLetter(Answer):
    """A message, or a part of one, that was refused; kept with its reason."""

    id: int
    received_at: Moment
    topic: str = Field(examples=["ward/v1/6A/mon-12/vitals"])
    reason: str = Field(description="A stable word.", examples=["unknown-signal"])
    detail: str
    payload: str = Field(description="The first 4 KiB, as text; what is not UTF-8 is replaced.")
    ward: str | None = None
    device: str | None = None
