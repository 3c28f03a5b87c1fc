"""How the service itself is, and the simulator that may stand in for patients."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ward.web.schemas.common import Answer, Moment, Request


class Part(Answer):
    """A thread of the service that must go round."""

    part: str = Field(examples=["engine"])
    age_s: float = Field(description="Since it last went round.", examples=[0.4])
    limit_s: float | None = Field(None, description="After so long it is late.", examples=[10])
    late: bool


class Broker(Answer):
    """The link to the broker."""

    url: str = Field(
        description="Where it connects to, the password masked.", examples=["mqtt://127.0.0.1:1883"]
    )
    connected: bool
    said: str | None = Field(None, description="Why not, as the broker or the network says it.")
    last_message_age_s: float | None = Field(None, description="Null: nothing came since the start.")
    topics: list[str] = Field(examples=[["ward/v1/+/+/vitals"]])
    devices: Literal["open", "known", "signed"] = Field(description="Who may speak (`WARD_DEVICES`).")


class Database(Answer):
    """Where all is kept."""

    kind: str = Field(examples=["sqlite"])
    bytes: int = Field(examples=[52_428_800])


class Backup(Answer):
    """The last one that `ward backup` wrote."""

    at: Moment
    bytes: int = Field(examples=[1_048_576])


class Simulator(Answer):
    """A simulated ward instead of patients, where `WARD_SIMULATOR` allows it."""

    allowed: bool
    running: bool
    ward: str = Field(examples=["practice"])
    patients: bool = Field(description="There are others than its own: it does not start beside them.")


class Curve(Answer):
    """A metric over time; null where it was not known."""

    name: str = Field(examples=["readings"])
    unit: str = Field(examples=["1/s"])
    values: list[float | None] = Field(examples=[[412.5, None]])


class Health(Answer):
    """The service as it is now, and its metrics of the last hours (kept in memory, by ten seconds)."""

    time: Moment
    started_at: Moment
    version: str = Field(examples=["0.1.0"])
    ready: bool
    live: bool = Field(description="What the board shows is of now.")
    reasons: list[str] = Field(description="Why it is not ready.")
    warnings: list[str]
    pack: str = Field(examples=["default"])
    speed: float = Field(examples=[1.0])
    parts: list[Part]
    broker: Broker
    channels_failing: list[str]
    database: Database
    backup: Backup | None = Field(description="Null: none was ever written.")
    administrator: bool = Field(description="There is a local user who is an administrator of all wards.")
    simulator: Simulator
    times: list[Moment] = Field(description="Of the points of each curve.")
    series: list[Curve]


class Practice(Request):
    """A simulated ward to start."""

    beds: int = Field(8, ge=1, le=48, strict=True, examples=[8])
