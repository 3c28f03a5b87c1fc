"""The audit trail."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ward.web.schemas.common import Answer, Moment


class AuditLine(Answer):
    """Who did what, and where it stands in the chain."""

    seq: int = Field(description="Its place; places have no holes.", examples=[1042])
    at: Moment
    actor: str = Field(description="Login or token; empty where nobody is known.", examples=["Nurse Ada"])
    actor_id: str | None = Field(description="Its id.", examples=["token:9f1c2b7a5d3e8f60"])
    role: str | None = Field(examples=["nurse"])
    action: str = Field(
        description="The operationId of the call, or a word of the command line such as `token.create`.",
        examples=["stays-get"],
    )
    object: str | None = Field(description="What it was done to.", examples=["stay:01jd6qk2"])
    stay: str | None = None
    ward: str | None = None
    outcome: Literal["asked", "done", "refused", "failed"] = Field(
        description="`asked` stands before each change; what became of it is a line of its own."
    )
    source: Literal["web", "cli", "system"]
    detail: dict[str, Any] = Field(examples=[{"from": "10.0.0.7", "status": 200}])
    previous: str = Field(description="The hash of the line before.", examples=["0" * 64])
    hash: str = Field(
        description="SHA-256 over all of this.",
        examples=["5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"],
    )


class Verdict(Answer):
    """Whether the chain holds."""

    holds: bool
    lines: int = Field(description="That fit.", examples=[1042])
    after: int = Field(description="It begins behind this line.", examples=[0])
    seq: int = Field(description="The last one that fits, and its hash.", examples=[1042])
    hash: str = Field(examples=["5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"])
    bad: int | None = Field(None, description="The first line that does not fit.")
    wrong: str | None = Field(None, description="What is wrong with it.")
