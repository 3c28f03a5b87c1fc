"""Who may come in: tokens, sessions in a browser, one-time login codes. Only hashes of secrets."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Final

from sqlalchemy import Connection, delete, or_, select, update

from ward.errors import NotFoundError
from ward.store.tables import login_codes, sessions, tokens


@dataclass(frozen=True, slots=True)
class Token:
    """``wards`` None: every ward. ``hash`` is of the secret; times in ms."""

    id: str
    name: str
    role: str
    wards: list[str] | None
    hash: str
    created: int
    expires: int | None = None
    revoked: int | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that logged in, with a token or (``token`` None) a login code."""

    hash: str
    token: str | None
    name: str
    role: str
    wards: list[str] | None
    created: int
    last_seen: int
    expires: int


@dataclass(frozen=True, slots=True)
class LoginCode:
    hash: str
    name: str
    role: str
    wards: list[str] | None
    expires: int
    used: int | None = None


TOKEN: Final = [tokens.c[field.name] for field in fields(Token)]
SESSION: Final = [sessions.c[field.name] for field in fields(Session)]
CODE: Final = [login_codes.c[field.name] for field in fields(LoginCode)]


def add_token(tx: Connection, token: Token) -> None:
    tx.execute(tokens.insert().values(asdict(token)))


def find_token(connection: Connection, hash: str, now: int) -> Token | None:
    """The token with this hash, if it is neither revoked nor expired."""
    valid = tokens.c.revoked.is_(None) & or_(tokens.c.expires.is_(None), tokens.c.expires > now)
    row = connection.execute(select(*TOKEN).where(tokens.c.hash == hash, valid)).one_or_none()
    return None if row is None else Token(*row)


def list_tokens(connection: Connection) -> list[Token]:
    """Every token, revoked and expired ones included, the earliest first."""
    return [Token(*row) for row in connection.execute(select(*TOKEN).order_by(tokens.c.created, tokens.c.id))]


def revoke_token(tx: Connection, token: str, now: int) -> None:
    """Revoke, and log out every browser that came in with it. Raises NotFoundError."""
    if tx.scalar(select(tokens.c.id).where(tokens.c.id == token)) is None:
        raise NotFoundError(f"no token {token}")
    mine = (tokens.c.id == token) & tokens.c.revoked.is_(None)
    tx.execute(update(tokens).where(mine).values(revoked=now))
    tx.execute(delete(sessions).where(sessions.c.token == token))


def add_session(tx: Connection, session: Session) -> None:
    tx.execute(sessions.insert().values(asdict(session)))


def find_session(connection: Connection, hash: str, now: int) -> Session | None:
    """The session with this hash, if neither it nor the token it came in with has expired."""
    query = (
        select(*SESSION)
        .join_from(sessions, tokens, sessions.c.token == tokens.c.id, isouter=True)
        .where(sessions.c.hash == hash, sessions.c.expires > now, tokens.c.revoked.is_(None))
        .where(or_(tokens.c.expires.is_(None), tokens.c.expires > now))
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else Session(*row)


def touch_session(tx: Connection, hash: str, now: int) -> None:
    """Note that the session was used; an earlier time changes nothing."""
    tx.execute(
        update(sessions).where(sessions.c.hash == hash, sessions.c.last_seen < now).values(last_seen=now)
    )


def delete_session(tx: Connection, hash: str) -> None:
    tx.execute(delete(sessions).where(sessions.c.hash == hash))


def add_code(tx: Connection, code: LoginCode) -> None:
    tx.execute(login_codes.insert().values(asdict(code)))


def use_code(tx: Connection, hash: str, now: int) -> LoginCode | None:
    """The code, used up by this call; None if it is unknown, expired or was used before.

    Of two calls at once one gets it: the update must touch the row that is still unused.
    """
    unused = (login_codes.c.hash == hash) & login_codes.c.used.is_(None) & (login_codes.c.expires > now)
    row = tx.execute(update(login_codes).where(unused).values(used=now).returning(*CODE)).one_or_none()
    return None if row is None else LoginCode(*row)
