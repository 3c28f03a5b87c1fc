"""Logging in, and tokens."""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

from pydantic import Field, StringConstraints, model_validator

from ward.web.schemas.common import Answer, Line, Moment, Name, Request, Time

Role = Literal["nurse", "clinician", "admin", "integration"]
ROLES: Final[tuple[str, ...]] = get_args(Role)


class Login(Request):
    """Log in with a token."""

    token: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] = Field(
        examples=["ward_Zk3xq0"]
    )


class Who(Answer):
    """Who is logged in, and what she may do."""

    name: str = Field(examples=["Ward 6A, night"])
    role: Role
    wards: list[str] | None = Field(description="The wards she sees; null is every ward.")
    may: list[str] = Field(description="What the role allows.", examples=[["read", "respond"]])
    expires_at: Moment | None = None


class NewToken(Request):
    """A token to make."""

    name: Line = Field(description="Whose it is; it signs every change.", examples=["Ward 6A, night"])
    role: Role
    wards: list[Name] | None = Field(
        None,
        max_length=200,
        description="The wards it sees. Required for a nurse; null is every ward for the other roles.",
        examples=[["6A"]],
    )
    expires_at: Time | None = Field(None, description="Null: until it is revoked.")

    @model_validator(mode="after")
    def nurses_have_wards(self) -> NewToken:
        if self.role == "nurse" and not self.wards:
            raise ValueError("a nurse needs at least one ward in `wards`")
        return self


class Token(Answer):
    """A token without its secret."""

    id: str
    name: str
    role: Role
    wards: list[str] | None = None
    created_at: Moment
    expires_at: Moment | None = None
    revoked_at: Moment | None = None


class CreatedToken(Token):
    """A new token with its secret."""

    token: str = Field(description="The secret, shown this once.", examples=["ward_Zk3xq0"])
