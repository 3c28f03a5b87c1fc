"""Credentials of devices at the broker."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, StrictBool, StringConstraints

from ward.ingest.credentials import MAX_USER
from ward.web.schemas.common import PRINTABLE, Answer, Moment, Request

USER: Final = f"^[^/+#:$\\x00-\\x1f\\x7f][^+#:\\x00-\\x1f\\x7f]{{0,{MAX_USER - 1}}}$"
User = Annotated[str, StringConstraints(min_length=1, max_length=MAX_USER, pattern=USER)]
Place = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=PRINTABLE)]


class NewCredential(Request):
    """A user of the broker to make."""

    user: User = Field(
        description="`WARD/DEVICE`, or the name of a gateway or listener.", examples=["6A/mon-12"]
    )
    speaks_for: list[Place] = Field(
        default_factory=list,
        max_length=1_000,
        description="A gateway's: `WARD/DEVICE`, `WARD/+` or `+/+`. Empty: the device speaks for itself.",
        examples=[["6A/+"]],
    )
    hears: list[Place] = Field(
        default_factory=list,
        max_length=1_000,
        description="A listener's: wards whose alerts it may read, `+` for all.",
        examples=[["6A"]],
    )
    signed: StrictBool = Field(False, description="It must sign its messages, whatever `WARD_DEVICES` says.")


class Credential(Answer):
    """A user of the broker without its secrets."""

    id: str = Field(examples=["9f1c2b7a5d3e8f60"])
    user: str = Field(examples=["6A/mon-12"])
    speaks_for: list[str] = Field(examples=[["6A/mon-12"]])
    hears: list[str] = Field(examples=[[]])
    signed: bool
    created_at: Moment
    rotated_at: Moment | None = None
    forged: int = Field(0, description="Messages refused in this device's name since the service started.")
    forged_at: Moment | None = Field(None, description="When the last of them came.")


class CreatedCredential(Credential):
    """A credential with its secrets."""

    password: str = Field(description="For the broker; shown this once.", examples=["Zk3xq0…"])
    key: str = Field(description="For signed messages; shown this once.", examples=["0123456789abcdef…"])
    example: str = Field(
        description="A command that says something as this user.", examples=["mosquitto_pub -h broker …"]
    )
    unreloaded: str | None = Field(
        None, description="Why the broker does not know it yet; null where it does.", examples=[None]
    )
