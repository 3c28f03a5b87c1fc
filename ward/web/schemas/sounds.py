"""Which screen makes the sounds."""

from __future__ import annotations

from pydantic import Field, StrictBool

from ward.web.schemas.common import Answer, Line, Name, Request


class Sounds(Request):
    """What a screen can do."""

    screen: Line = Field(description="Its own name for itself, made when it was opened.", examples=["q7xk"])
    wards: list[Name] = Field(min_length=1, max_length=100, examples=[["6A"]])
    able: StrictBool = Field(description="Its sound is on, and the browser plays it.")
    take: StrictBool = Field(False, description="From now on it is the one that sounds.")


class SoundOf(Answer):
    """Of one ward."""

    shared: bool = Field(description="One screen sounds for all.")
    sounds: bool = Field(description="Whether this screen is to sound.")
    others: int = Field(description="How many others can.")


class SoundsOf(Answer):
    """By ward."""

    wards: dict[str, SoundOf]
