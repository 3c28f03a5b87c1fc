"""Users, as administrators and the command line change them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Connection, Engine

from ward.errors import ConflictError, InvalidError
from ward.ingest.topics import is_name
from ward.signals import HOUR
from ward.store import access, people
from ward.store.people import User
from ward.web import throttle
from ward.web.access import PEOPLE, WARDED
from ward.web.identity import digest, login_key, new_secret
from ward.web.passwords import normal

LOGIN: Final = re.compile(r"[^\s\x00-\x1f\x7f]{1,64}")
FIRST_CODE_MS: Final = 24 * HOUR
"""For how long the code to set a password can be used: it is told by word of mouth or on paper."""
CHANGES: Final = frozenset({"name", "role", "wards", "disabled"})


def create_user(
    engine: Engine,
    *,
    login: str,
    name: str,
    role: str,
    wards: Iterable[str] | None,
    now: int,
    hashed: str | None = None,
) -> User:
    """A new user, with a password's hash or none yet. Raises InvalidError, ConflictError."""
    plain = normal(login)
    if not LOGIN.fullmatch(plain):
        raise InvalidError(
            "a user name has 1 to 64 characters and no blanks", field="login", code="login-form"
        )
    listed = require_wards(role, wards)
    user = User(
        id=secrets.token_hex(8),
        login=plain,
        login_key=login_key(plain),
        name=name.strip() or plain,
        role=role,
        wards=listed,
        created=now,
        password=hashed,
        password_changed=now if hashed else None,
    )
    with engine.begin() as tx:
        people.add_user(tx, user)
    return user


def require_wards(role: str, wards: Iterable[str] | None) -> list[str] | None:
    """The wards in order. Raises InvalidError where they, or the role, are not allowed."""
    if role not in PEOPLE:
        raise InvalidError(f"role {role!r}; allowed for people: {', '.join(sorted(PEOPLE))}", field="role")
    listed = None if wards is None else sorted(set(wards))
    if role in WARDED and not listed:
        raise InvalidError("a nurse needs at least one ward", field="wards", code="wards-needed")
    bad = [ward for ward in listed or () if not is_name(ward)]
    if bad:
        raise InvalidError(
            f"{bad[0]!r} can not be a ward's name", field="wards", code="ward-name", params={"ward": bad[0]}
        )
    return listed


def change_user(engine: Engine, id: str, now: int, **changes: Any) -> User:
    """Change name, role, wards or ``disabled`` (a bool). It holds at once, also in open sessions.

    Raises NotFoundError, InvalidError, and ConflictError where nobody would be left to make users.
    """
    with engine.begin() as tx:
        user = people.get_user(tx, id)
        asked = {name: value for name, value in changes.items() if name in CHANGES}
        if "disabled" in asked:
            asked["disabled"] = (user.disabled or now) if asked["disabled"] else None
        wards = require_wards(asked.get("role", user.role), asked.get("wards", user.wards))
        changed = people.update_user(tx, id, **{**asked, "wards": wards})
        if _rules(user) and not _rules(changed) and not people.has_other_admin(tx, id):
            raise ConflictError(
                "this is the last administrator of all wards; make another one first", code="last-admin"
            )
        if changed.disabled is not None:
            _shut_out(tx, id)
    return changed


def reset_password(engine: Engine, id: str, now: int) -> tuple[User, str, int]:
    """Take the password away, log out everywhere, and make a code to set a new one: the user, the code and
    until when it works. Raises NotFoundError, ConflictError for who has no password here."""
    with engine.begin() as tx:
        user = people.get_user(tx, id)
        if user.issuer is not None:
            raise ConflictError("the hospital's log-in keeps this user's password", code="password-elsewhere")
        _shut_out(tx, id)
        user = people.update_user(tx, id, password=None, password_changed=None)
        throttle.pardon(tx, user.login_key)
        secret, expires = new_secret(), now + FIRST_CODE_MS
        code = access.LoginCode(
            digest(secret), user.name, user.role, user.wards, expires, purpose="password", user=id
        )
        access.add_code(tx, code)
    return user, secret, expires


def set_password(engine: Engine, id: str, hashed: str, now: int) -> User:
    """Set it as whoever runs the service may; everybody who came in with the old one is logged out."""
    with engine.begin() as tx:
        _shut_out(tx, id)
        user = people.update_user(tx, id, password=hashed, password_changed=now)
        throttle.pardon(tx, user.login_key)
    return user


def pardon(engine: Engine, id: str) -> User:
    """End a lock-out that wrong guesses brought; the password stays. Raises NotFoundError."""
    with engine.begin() as tx:
        user = people.get_user(tx, id)
        throttle.pardon(tx, user.login_key)
    return user


def log_out_everywhere(engine: Engine, id: str) -> int:
    """How many sessions ended. Raises NotFoundError."""
    with engine.begin() as tx:
        people.get_user(tx, id)
        return access.end_sessions(tx, id)


def _shut_out(tx: Connection, id: str) -> None:
    access.end_sessions(tx, id)
    access.drop_codes(tx, id)


def _rules(user: User) -> bool:
    return user.role == "admin" and user.wards is None and user.disabled is None
