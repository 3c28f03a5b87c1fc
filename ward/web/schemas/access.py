"""Logging in, sessions and tokens."""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

from pydantic import Field, StringConstraints, model_validator

from ward.web.schemas.common import Answer, Line, Moment, Name, Request, Time

Role = Literal["nurse", "clinician", "admin", "integration", "kiosk"]
ROLES: Final[tuple[str, ...]] = get_args(Role)
Scope = Literal[
    "read",
    "read:alerts",
    "read:vitals",
    "read:rules",
    "read:devices",
    "events",
    "write:observations",
    "admit",
    "monitor",
]

Secret = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
LoginName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Login(Request):
    """Log in: with user name and password, or with a token."""

    login: LoginName | None = Field(None, description="The user name.", examples=["jberg"])
    password: Secret | None = Field(None, examples=["three words nobody joins"])
    token: Code | None = Field(None, description="Instead of both.", examples=["ward_Zk3xq0"])

    @model_validator(mode="after")
    def one_way(self) -> Login:
        with_password = self.login is not None and self.password is not None
        if (self.token is None) != with_password or (self.token and (self.login or self.password)):
            raise ValueError("either `login` and `password`, or `token`")
        return self


class Who(Answer):
    """Who is logged in, and what she may do."""

    name: str = Field(examples=["Ward 6A, night"])
    role: Role
    wards: list[str] | None = Field(description="The wards she sees; null is every ward.")
    may: list[str] = Field(description="What she may do now.", examples=[["read", "respond"]])
    limited: bool = Field(
        False, description="Nobody touched the session for too long: the board is all that it shows."
    )
    acts_until: Moment | None = Field(
        None, description="When it will be limited if nobody touches it; null: never."
    )
    expires_at: Moment | None = Field(None, description="When it ends.")
    account: bool = Field(False, description="She came in as a user, and has sessions to end.")
    log_out_url: str | None = Field(
        None, description="Where to go after logging out, so that the hospital's log-in does so, too."
    )


class Ways(Answer):
    """How one may log in."""

    password: bool = Field(description="There are users.")
    oidc: str | None = Field(None, description="What the hospital's log-in is called; null: there is none.")


class NewPassword(Request):
    """Set a password with the one-time code for it."""

    code: Code = Field(description="From an administrator; it works once.", examples=["kJ3xq0"])
    password: Secret = Field(description="At least 15 characters.", examples=["three words nobody joins"])


class ChangedPassword(Request):
    """Change one's own password."""

    current: Secret = Field(examples=["three words nobody joins"])
    password: Secret = Field(description="At least 15 characters.", examples=["four other words, rather"])


class OpenSession(Answer):
    """One place where somebody is logged in."""

    id: str = Field(examples=["9f1c2b7a5d3e8f60"])
    current: bool = Field(description="The one that asks.")
    method: str = Field(description="How she logged in.", examples=["password"])
    agent: str | None = Field(None, description="What the browser calls itself.", examples=["Firefox"])
    created_at: Moment
    last_seen_at: Moment
    expires_at: Moment


class NewToken(Request):
    """A token to make."""

    name: Line = Field(description="Whose it is; it signs every change.", examples=["Ward 6A, night"])
    role: Role
    wards: list[Name] | None = Field(
        None,
        max_length=200,
        description="The wards it sees. Required for nurse and kiosk; null is every ward for the others.",
        examples=[["6A"]],
    )
    scopes: list[Scope] | None = Field(
        None,
        max_length=20,
        description="For an integration: only these of what its role may; null is all.",
    )
    expires_at: Time | None = Field(None, description="Null: until it is revoked.")

    @model_validator(mode="after")
    def fits_its_role(self) -> NewToken:
        if self.role in ("nurse", "kiosk") and not self.wards:
            raise ValueError(f"a {self.role} needs at least one ward in `wards`")
        if self.scopes is not None and (self.role != "integration" or not self.scopes):
            raise ValueError("`scopes` are of the role integration only, and at least one")
        return self


class Token(Answer):
    """A token without its secret."""

    id: str
    name: str
    role: Role
    wards: list[str] | None = None
    scopes: list[str] | None = None
    created_at: Moment
    expires_at: Moment | None = None
    revoked_at: Moment | None = None


class CreatedToken(Token):
    """A new token with its secret."""

    token: str = Field(description="The secret, shown this once.", examples=["ward_Zk3xq0"])


class Link(Answer):
    """A link that logs one browser in, once."""

    path: str = Field(description="Below the service's address.", examples=["login?code=kJ3xq0"])
    expires_at: Moment
