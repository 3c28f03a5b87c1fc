"""Who may come in: tokens, sessions in a browser, one-time login codes. Only hashes of secrets."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, fields, replace
from typing import Final

from sqlalchemy import Connection, delete, func, or_, select, update

from ward.errors import NotFoundError
from ward.store.tables import login_codes, sessions, tokens, users


@dataclass(frozen=True, slots=True)
class Token:
    """``wards`` None: every ward; ``scopes`` None: all that the role may. ``hash`` is of the secret; times
    in ms."""

    id: str
    name: str
    role: str
    wards: list[str] | None
    hash: str
    created: int
    expires: int | None = None
    revoked: int | None = None
    scopes: list[str] | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that logged in: as a ``user``, with a ``token``, or (both None) with a login code.

    ``active``: when a person last did something in it; ``last_seen`` also counts what the page does itself.
    A user's name, role and wards are those of now, whatever they were when the session began.
    """

    hash: str
    token: str | None
    name: str
    role: str
    wards: list[str] | None
    created: int
    last_seen: int
    expires: int
    user: str | None = None
    active: int = 0
    method: str = "token"
    agent: str | None = None

    @property
    def id(self) -> str:
        """By which its owner may call it; useless for coming in."""
        return self.hash[:16]


@dataclass(frozen=True, slots=True)
class LoginCode:
    """``purpose``: login, or password (to set one). ``user``, ``token``: for whom; else for ``name``."""

    hash: str
    name: str
    role: str
    wards: list[str] | None
    expires: int
    used: int | None = None
    purpose: str = "login"
    reusable: bool = False
    user: str | None = None
    token: str | None = None


TOKEN: Final = [tokens.c[field.name] for field in fields(Token)]
SESSION: Final = [sessions.c[field.name] for field in fields(Session)]
OWNER: Final = [users.c.name, users.c.role, users.c.wards]
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
    """The session with this hash, if it has not expired, nor its token, nor was its user disabled."""
    query = (
        select(*SESSION, *OWNER)
        .join_from(sessions, tokens, sessions.c.token == tokens.c.id, isouter=True)
        .join(users, sessions.c.user == users.c.id, isouter=True)
        .where(sessions.c.hash == hash, sessions.c.expires > now)
        .where(tokens.c.revoked.is_(None), or_(tokens.c.expires.is_(None), tokens.c.expires > now))
        .where(users.c.disabled.is_(None))
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    session = Session(*row[: len(SESSION)])
    if session.user is None:
        return session
    name, role, wards = row[len(SESSION) :]
    return replace(session, name=name, role=role, wards=wards)


def list_sessions(connection: Connection, user: str, now: int) -> list[Session]:
    """A user's open sessions, the latest used first."""
    mine = (sessions.c.user == user) & (sessions.c.expires > now)
    query = select(*SESSION).where(mine).order_by(sessions.c.last_seen.desc(), sessions.c.hash)
    return [Session(*row) for row in connection.execute(query)]


def sessions_of_users(connection: Connection, now: int) -> dict[str, tuple[int, int]]:
    """Of every user who is logged in somewhere: at how many places, and when she was seen last (ms)."""
    query = (
        select(sessions.c.user, func.count(), func.max(sessions.c.last_seen))
        .where(sessions.c.user.is_not(None), sessions.c.expires > now)
        .group_by(sessions.c.user)
    )
    return {user: (count, seen) for user, count, seen in connection.execute(query)}


def end_sessions(tx: Connection, user: str, *, keep: str | None = None) -> int:
    """Log a user out everywhere, but for the session with the hash ``keep``; how many ended."""
    mine = (sessions.c.user == user) & (sessions.c.hash != (keep or ""))
    return tx.execute(delete(sessions).where(mine)).rowcount


def touch_session(tx: Connection, hash: str, now: int) -> None:
    """Note that the session was used; an earlier time changes nothing."""
    tx.execute(
        update(sessions).where(sessions.c.hash == hash, sessions.c.last_seen < now).values(last_seen=now)
    )


def touch_active(tx: Connection, hash: str, now: int) -> None:
    """Note that a person did something in the session."""
    later = (sessions.c.hash == hash) & (sessions.c.active < now)
    tx.execute(update(sessions).where(later).values(active=now))


def extend_session(tx: Connection, hash: str, expires: int) -> None:
    tx.execute(update(sessions).where(sessions.c.hash == hash).values(expires=expires))


def delete_session(tx: Connection, hash: str) -> None:
    tx.execute(delete(sessions).where(sessions.c.hash == hash))


def add_code(tx: Connection, code: LoginCode) -> None:
    tx.execute(login_codes.insert().values(asdict(code)))


def use_code(tx: Connection, hash: str, now: int, purpose: str = "login") -> LoginCode | None:
    """The code, used up by this call; None if it is unknown, expired, for another purpose or used before.

    Of two calls at once one gets it: the update must touch the row that is still unused.
    """
    code = login_codes.c
    unused = (code.hash == hash) & (code.purpose == purpose) & (code.expires > now)
    unused &= or_(code.used.is_(None), code.reusable)
    row = tx.execute(update(login_codes).where(unused).values(used=now).returning(*CODE)).one_or_none()
    return None if row is None else LoginCode(*row)


def find_code(connection: Connection, hash: str, now: int, purpose: str) -> LoginCode | None:
    """The code if it could be used now; it stays unused."""
    code = login_codes.c
    unused = (code.hash == hash) & (code.purpose == purpose) & (code.expires > now) & code.used.is_(None)
    row = connection.execute(select(*CODE).where(unused)).one_or_none()
    return None if row is None else LoginCode(*row)


def drop_codes(tx: Connection, user: str) -> None:
    """A user's codes that were not used become useless."""
    tx.execute(delete(login_codes).where(login_codes.c.user == user))


def get_token(connection: Connection, token: str) -> Token:
    """The token with this id, whether valid or not. Raises NotFoundError."""
    row = connection.execute(select(*TOKEN).where(tokens.c.id == token)).one_or_none()
    if row is None:
        raise NotFoundError(f"no token {token}")
    return Token(*row)


def people_of(connection: Connection, roles: Collection[str], now: int) -> list[tuple[str, str]]:
    """Who has one of these roles: how a principal is called (``user:…``, ``token:…``), and her name."""
    members = select(users.c.id, users.c.name).where(users.c.role.in_(roles) & users.c.disabled.is_(None))
    lasting = tokens.c.expires.is_(None) | (tokens.c.expires > now)
    valid = tokens.c.role.in_(roles) & tokens.c.revoked.is_(None) & tokens.c.scopes.is_(None) & lasting
    programs = select(tokens.c.id, tokens.c.name).where(valid)
    return [
        *((f"user:{id}", name) for id, name in connection.execute(members)),
        *((f"token:{id}", name) for id, name in connection.execute(programs)),
    ]
