"""Users."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StringConstraints

from ward.web.schemas.common import Answer, Line, Moment, Name, Request

PersonRole = Literal["nurse", "clinician", "admin"]
NewLogin = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[^\s\x00-\x1f\x7f]+$"),
]
Wards = Annotated[list[Name], Field(max_length=200)]


class NewUser(Request):
    """A user to make. She sets her password herself, with the code in the answer."""

    login: NewLogin = Field(description="The user name; its case does not matter.", examples=["jberg"])
    name: Line = Field(description="As colleagues know her; it signs every change.", examples=["Jonas Berg"])
    role: PersonRole
    wards: Wards | None = Field(
        None,
        description="The wards she sees. Required for a nurse; null is every ward for the others.",
        examples=[["6A"]],
    )


class UserChange(Request):
    """What is to be changed; what is left out stays."""

    name: Line | None = Field(None, examples=["Jonas Berg"])
    role: PersonRole | None = Field(None, examples=["nurse"])
    wards: Wards | None = Field(None, description="Null, where it is given: every ward.", examples=[["6A"]])
    disabled: StrictBool | None = Field(None, description="True shuts her out at once.", examples=[False])


class User(Answer):
    """A user, without anything secret."""

    id: str
    login: str = Field(examples=["jberg"])
    name: str = Field(examples=["Jonas Berg"])
    role: PersonRole
    wards: list[str] | None = Field(None, examples=[["6A"]])
    created_at: Moment
    disabled_at: Moment | None = None
    has_password: bool
    password_changed_at: Moment | None = None
    sessions: int = Field(0, description="At how many places she is logged in.", examples=[1])
    last_seen_at: Moment | None = Field(None, description="There, last.")
    locked_until: Moment | None = Field(
        None, description="Too many wrong guesses: until then she has to wait."
    )
    issuer: str | None = Field(None, description="The hospital's log-in that vouches for her, if it does.")


class InvitedUser(User):
    """A user with the code to set her password."""

    code: str = Field(description="Works once, at `#/password`; shown this once.", examples=["kJ3xq0"])
    code_expires_at: Moment
