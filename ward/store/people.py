"""Users: who they are, what they may, the hash of their password."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from sqlalchemy import Connection, exists, select, update
from sqlalchemy.exc import IntegrityError

from ward.errors import ConflictError, NotFoundError
from ward.store.sql import Page, page
from ward.store.tables import users


@dataclass(frozen=True, slots=True)
class User:
    """``login_key`` is ``login`` without its case; ``wards`` None: every ward; times in ms.

    ``password`` is a hash, None where there is none yet or the hospital's log-in (``issuer``, ``subject``)
    vouches for the person.
    """

    id: str
    login: str
    login_key: str
    name: str
    role: str
    wards: list[str] | None
    created: int
    password: str | None = None
    password_changed: int | None = None
    disabled: int | None = None
    issuer: str | None = None
    subject: str | None = None


USER: Final = [users.c[field.name] for field in fields(User)]


def add_user(tx: Connection, user: User) -> None:
    """Raises ConflictError where somebody has this login already."""
    try:
        with tx.begin_nested():
            tx.execute(users.insert().values(asdict(user)))
    except IntegrityError:
        raise ConflictError(
            f"there is a user {user.login} already", code="user-exists", params={"login": user.login}
        ) from None


def get_user(connection: Connection, id: str) -> User:
    """Raises NotFoundError."""
    row = connection.execute(select(*USER).where(users.c.id == id)).one_or_none()
    if row is None:
        raise NotFoundError(f"no user {id}")
    return User(*row)


def find_user(connection: Connection, login_key: str) -> User | None:
    row = connection.execute(select(*USER).where(users.c.login_key == login_key)).one_or_none()
    return None if row is None else User(*row)


def find_subject(connection: Connection, issuer: str, subject: str) -> User | None:
    """The user for whom ``issuer`` vouches under the name ``subject``."""
    mine = (users.c.issuer == issuer) & (users.c.subject == subject)
    row = connection.execute(select(*USER).where(mine)).one_or_none()
    return None if row is None else User(*row)


def list_users(connection: Connection, *, cursor: str | None = None, limit: int = 100) -> Page[User]:
    """By login, disabled ones too."""
    order = [users.c.login_key]
    return page(connection, select(*USER), order, lambda row: User(*row), cursor=cursor, limit=limit)


def all_users(connection: Connection) -> list[User]:
    """By name, disabled ones too."""
    return [User(*row) for row in connection.execute(select(*USER).order_by(users.c.name, users.c.id))]


def has_users(connection: Connection) -> bool:
    return bool(connection.scalar(select(exists(select(users.c.id)))))


def update_user(tx: Connection, id: str, **changes: Any) -> User:
    """Raises NotFoundError."""
    row = tx.execute(update(users).where(users.c.id == id).values(**changes).returning(*USER)).one_or_none()
    if row is None:
        raise NotFoundError(f"no user {id}")
    return User(*row)


def has_other_admin(connection: Connection, id: str) -> bool:
    """Whether somebody else could make users: an admin of all wards who is not disabled."""
    other = (users.c.id != id) & (users.c.role == "admin") & users.c.disabled.is_(None)
    found = connection.scalars(select(users.c.wards).where(other)).all()
    return any(wards is None for wards in found)
