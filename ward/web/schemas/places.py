"""Wards with their beds, and devices as somebody sees them who is about to attach one."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ward.web.schemas.common import Answer, Moment


class Bed(Answer):
    """A bed that was ever used."""

    bed: str = Field(examples=["12"])
    stay: str | None = Field(None, description="Who is in it now; null: it is free.")


class Ward(Answer):
    """A ward is where somebody was admitted, a device spoke, or somebody may look: nobody makes one."""

    ward: str = Field(examples=["6A"])
    beds: list[Bed]
    stays: int = Field(description="Patients now.", examples=[18])
    devices: int = Field(description="Devices heard there.", examples=[40])
    unassigned: int = Field(description="Of them nobody's.", examples=[2])
    plan: Literal["ward", "default"] = Field(description="Whose care plan it goes by.")
    plan_version: int = Field(examples=[3])


class Shown(Answer):
    """The newest reading of one signal, as the device sent it: no filter has seen it."""

    value: float | str | bool | None = Field(examples=[82])
    unit: str = Field(examples=["1/min"])
    time: Moment


class DeviceNow(Answer):
    """A device, whose it is, and what it shows: is that this patient?"""

    ward: str = Field(examples=["6A"])
    device: str = Field(examples=["mon-12"])
    known: bool = Field(description="It was heard in this ward.")
    stay: str | None = Field(None, description="Whose it is now; null: nobody's.")
    bed: str | None = Field(None, description="In which bed that is.", examples=["4"])
    online: bool | None = None
    last_seen_at: Moment | None = None
    offset_s: float | None = None
    last_bed: str | None = Field(None, description="Where it was before.", examples=["12"])
    last_until: Moment | None = None
    elsewhere: list[str] = Field(
        description="Other wards (that the caller sees) in which a device of this name was heard.",
        examples=[["6B"]],
    )
    signals: dict[str, Shown] = Field(description="Empty for a token that may not read vital signs.")
