"""Coming in with a password, and setting one.

A wrong password, a user who does not exist, one without a password and one who is disabled get the same
answer after the same work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from ward.errors import ConflictError, InvalidError, UnauthorizedError, UnavailableError
from ward.store import access, people
from ward.store.people import User
from ward.web import throttle
from ward.web.access import Principal
from ward.web.audit import about
from ward.web.identity import WRONG, Browser, Identity, digest, login_key, logins
from ward.web.passwords import require_good
from ward.web.throttle import LockedOutError

log = structlog.get_logger(__name__)


async def log_in(identity: Identity, login: str, password: str, browser: Browser) -> tuple[Principal, str]:
    """A session: the principal and the cookie. Raises UnauthorizedError, LockedOutError, and UnavailableError
    when too many log in at once."""
    user = await _proved(identity, login_key(login), password, browser)

    def enter(tx: Connection) -> tuple[Principal, str]:
        now_found = people.find_user(tx, user.login_key)
        if now_found is None or now_found.password != user.password:  # changed a moment ago
            raise UnauthorizedError(WRONG)
        return identity.enter(tx, now_found, "password", browser)

    return await run_in_threadpool(_writing, identity, enter)


async def set_with_code(
    identity: Identity, code: str, password: str, browser: Browser
) -> tuple[Principal, str]:
    """Set a password with the one-time code that an administrator gave, and log in. Every other session
    ends. Raises UnauthorizedError for the code, InvalidError for the password."""

    def find() -> User:
        with identity.engine.connect() as connection:
            found = access.find_code(connection, digest(code), identity.wall(), "password")
            if found is None or found.user is None:
                raise UnauthorizedError("this code was used before or is too old; ask for a new one")
            return people.get_user(connection, found.user)

    user = await run_in_threadpool(find)
    require_good(password, user.login, user.name)
    hashed = await identity.passwords.hash(password)

    def use(tx: Connection) -> tuple[Principal, str]:
        used = access.use_code(tx, digest(code), identity.wall(), "password")
        if used is None:
            raise UnauthorizedError("this code was used before or is too old; ask for a new one")
        changed = _set(tx, user.id, hashed, identity.wall())
        return identity.enter(tx, changed, "password", browser)

    return await run_in_threadpool(_writing, identity, use)


async def change(identity: Identity, who: Principal, current: str, new: str, browser: Browser) -> None:
    """Change one's own password; all other sessions end. Raises ConflictError, InvalidError, and what
    ``log_in`` raises for the current one."""

    def mine() -> User:
        if who.user is None:
            raise ConflictError("who came in with a token or a link has no password here", code="no-password")
        with identity.engine.connect() as connection:
            return people.get_user(connection, who.user)

    user = await run_in_threadpool(mine)
    if user.password is None:
        raise ConflictError(
            "your password is kept by the hospital's log-in; change it there", code="password-elsewhere"
        )
    require_good(new, user.login, user.name)
    try:
        await _proved(identity, user.login_key, current, browser)
    except UnauthorizedError:
        raise InvalidError("the current password is wrong", field="current", code="password-wrong") from None
    hashed = await identity.passwords.hash(new)

    def save(tx: Connection) -> None:
        _set(tx, user.id, hashed, identity.wall(), keep=who.key)

    await run_in_threadpool(_writing, identity, save)


def _set(tx: Connection, user: str, hashed: str, now: int, keep: str | None = None) -> User:
    access.end_sessions(tx, user, keep=keep)
    access.drop_codes(tx, user)
    changed = people.update_user(tx, user, password=hashed, password_changed=now)
    throttle.pardon(tx, changed.login_key)
    return changed


async def _proved(identity: Identity, key: str, password: str, browser: Browser) -> User:
    """The user with this login, who knows her password; the attempt is counted."""
    user = await run_in_threadpool(_heard, identity, key, browser)
    if user is not None:
        about(actor=user.login, actor_id=f"user:{user.id}", role=user.role)
    try:
        right = await identity.passwords.verify(password, user.password if user else None)
    except UnavailableError:
        await run_in_threadpool(_writing, identity, _counting(throttle.refund, identity, key, browser))
        logins.labels("password", "busy").inc()
        raise
    if user is None or not right or user.disabled is not None:
        logins.labels("password", "refused").inc()
        log.info("log-in refused", user=user.id if user else None, address=browser.address)
        raise UnauthorizedError(WRONG)
    await run_in_threadpool(_writing, identity, _counting(throttle.settle, identity, key, browser))
    return user


def _heard(identity: Identity, key: str, browser: Browser) -> User | None:
    """Count the attempt. Raises LockedOutError where it is not to be heard."""
    now = identity.wall()
    with identity.engine.connect() as connection:
        wait = throttle.waiting(connection, key, browser.address, now)
        user = people.find_user(connection, key)
    if not wait:
        with identity.engine.begin() as tx:
            wait = throttle.charge(tx, key, browser.address, now)
    if wait:
        logins.labels("password", "locked").inc()
        raise LockedOutError(wait)
    return user


T = TypeVar("T")
Count = Callable[[Connection, str, str, int], None]


def _counting(count: Count, identity: Identity, key: str, browser: Browser) -> Callable[[Connection], None]:
    return lambda tx: count(tx, key, browser.address, identity.wall())


def _writing(identity: Identity, work: Callable[[Connection], T]) -> T:
    with identity.engine.begin() as tx:
        return work(tx)
