"""Words, times and lists that all resources share."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Final, Generic, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)

from ward.errors import NotFoundError
from ward.ingest.topics import is_name
from ward.language import Language

T = TypeVar("T")

RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")
DURATION: Final = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)([smhd]?)")
UNIT_MS: Final = {"": 1_000, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")

EXAMPLE_TIME: Final = "2026-11-21T12:00:00.250Z"


def to_ms(value: Any) -> int:
    """RFC 3339 text with an offset → ms since 1970. Raises ValueError saying what is allowed."""
    # In a query an unescaped '+' of an offset arrives as a blank: it can mean nothing else there.
    text = value.replace(" ", "+") if isinstance(value, str) else ""
    if RFC3339.fullmatch(text):
        try:
            moment = datetime.fromisoformat(text.upper())
        except ValueError:
            moment = None
        if moment is not None and 1970 < moment.year < 9999:
            return round(moment.timestamp() * 1000)
    raise ValueError(f"a time with an offset (RFC 3339) is allowed, such as {EXAMPLE_TIME}")


def to_duration_ms(value: Any) -> int:
    """``30``, ``"30s"``, ``"5m"``, ``"1h"`` or ``"1d"`` → ms. Raises ValueError."""
    found = DURATION.fullmatch(str(value))
    if not found or not (ms := round(float(found[1]) * UNIT_MS[found[2]])):
        raise ValueError("a duration is allowed, such as 30s, 5m or 1h (a bare number is seconds)")
    return ms


def known_id(value: str) -> str:
    """What can not be an id is no resource's: not found, as for one that does not exist."""
    if not IDENTIFIER.fullmatch(value):
        raise NotFoundError("there is nothing with this id")
    return value


Time = Annotated[
    int,
    BeforeValidator(to_ms),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": [EXAMPLE_TIME]}),
]
"""A time in a request; ms inside."""
Duration = Annotated[
    int,
    BeforeValidator(to_duration_ms),
    WithJsonSchema({"type": "string", "pattern": "^[0-9.]+[smhd]?$", "examples": ["5m"]}),
]
"""A duration in a request; ms inside."""
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=[EXAMPLE_TIME])]
"""A time in an answer: RFC 3339, UTC, ms."""
Id = Annotated[str, AfterValidator(known_id)]

PRINTABLE: Final = r"^[^\x00-\x1f\x7f]*$"
Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=PRINTABLE)
]
"""One line of text."""
Note = Annotated[str, StringConstraints(max_length=2_000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
"""Free text, several lines."""
NAME: Final = r"^[^/+#$\s\x00-\x1f\x7f]([^/+#\x00-\x1f\x7f]{0,126}[^/+#\s\x00-\x1f\x7f])?$"


def _topic_name(text: str) -> str:
    if not is_name(text):
        raise ValueError("1 to 128 printable characters, none of / + #, no $ first, no blank at either end")
    return text


Name = Annotated[str, AfterValidator(_topic_name), WithJsonSchema({"type": "string", "pattern": NAME})]
"""The name of a ward or a device: one level of an MQTT topic."""
Flag = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


InLanguages = dict[Language, Line]
TITLES: Final = "The title in other languages, as far as the rule has them: `da`, `en`, `nb`."


class Request(BaseModel):
    """What a caller sends: an unknown field is an error, not a guess."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """What the service answers; new fields may be added within v1."""


class Page(Answer, Generic[T]):
    """One page of a list. ``next`` is the ``cursor`` of the following page, null on the last."""

    model_config = ConfigDict(json_schema_extra={"description": "One page of a list."})

    items: list[T]
    next: str | None = Field(None, description="Pass it as `cursor` to get the next page; null at the end.")


class Problem(Answer):
    """Problem details (RFC 9457)."""

    type: str = Field(description="Stable; its page explains it.", examples=["/problems/invalid"])
    title: str = Field(examples=["Not valid"])
    status: int = Field(examples=[422])
    detail: str = Field(description="What is wrong this time, for a person.")
    instance: str = Field(description="The path that was called.", examples=["/api/v1/stays"])
    errors: list[FieldError] | None = Field(None, description="Each field that is wrong, all at once.")
    code: str | None = Field(
        None, description="What is wrong, in a word that stays, where there is one.", examples=["bed-taken"]
    )
    params: dict[str, str] | None = Field(
        None, description="What `code` speaks of.", examples=[{"bed": "12", "ward": "6A"}]
    )


class FieldError(Answer):
    """One field that is wrong."""

    field: str = Field(description="Where it is.", examples=["body.minutes"])
    message: str = Field(description="What is wrong and what is allowed.")
    line: int | None = Field(None, description="Of a text: in which line.")


Problem.model_rebuild()
