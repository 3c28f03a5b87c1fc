"""Recordings: files that rules can be tried over."""

from __future__ import annotations

from pydantic import Field

from ward.web.schemas.common import Answer, Moment


class Recording(Answer):
    """A file, by an id; where it lies is not told."""

    id: str
    name: str = Field(examples=["bidmc_01_Numerics.csv"])
    size: int = Field(description="Bytes.", examples=[48_213])
    brought: bool = Field(description="You brought it, and may take it away; else it is the service's.")
    until: Moment | None = Field(
        description="When what you brought is deleted; null where it is the service's."
    )
