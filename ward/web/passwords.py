"""Passwords: which ones are taken, and how they are kept.

After NIST SP 800-63B-4 (§3.1.1.2): a password that stands alone has at least 15 characters, of any kind and
in any mixture; nothing is asked of its composition, and it need not be changed by the calendar. Refused is
what is guessed first: the commonest passwords, repetitions and runs, the person's own name and the service's.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import unicodedata
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from ward.errors import InvalidError, UnavailableError

T = TypeVar("T")

SHORTEST: Final = 15
LONGEST: Final = 256
LEFT: Final = 6
"""So many characters must be left when everything common is taken out."""
RUNS: Final = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "qwertzuiop",
    "asdfghjkl",
    "zxcvbnm",
)
COMMON: Final = frozenset(
    """1q2w3e4r 1qaz2wsx abc123 access admin administrator alarm baseball batman changeme charlie clinic
    clinician computer default doctor dragon donald flower football freedom geheim guest hallo hello hospital
    hunter iloveyou klinik letmein login loveme lovely master michael michelle monkey monitor mustang ninja
    nurse nursing pass passw0rd password passwort patient pflege princess qazwsx secret shadow starwars
    station summer sunshine superman temp test trustno1 user ward welcome whatever winter zaq12wsx""".split()  # noqa: SIM905
)
"""From published lists of the commonest passwords, and what comes to mind in a hospital."""

WORKERS: Final = 2
WAITING: Final = 16
"""Each hash takes 64 MiB and a core for a while: so many at once, and so many more may wait their turn."""


class Passwords:
    """Hashes and verifies with argon2id, a few at a time, so that a flood of log-ins costs neither the event
    loop nor the memory."""

    def __init__(self, hasher: PasswordHash | None = None, workers: int = WORKERS) -> None:
        self._hash = hasher or PasswordHash((Argon2Hasher(),))
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="argon2")
        self._room = workers + WAITING
        self._busy = 0
        self._nobody: str | None = None

    def hash_now(self, password: str) -> str:
        """Where nobody waits (the command line)."""
        return self._hash.hash(normal(password))

    async def hash(self, password: str) -> str:
        """Raises UnavailableError when too many wait already."""
        return await self._run(lambda: self.hash_now(password))

    async def verify(self, password: str, hashed: str | None) -> bool:
        """``hashed`` None, for who does not exist or has none: as slow, and never right. Raises
        UnavailableError when too many wait already."""
        return await self._run(lambda: self._verify(password, hashed))

    def _verify(self, password: str, hashed: str | None) -> bool:
        if self._nobody is None:
            self._nobody = self._hash.hash(secrets.token_urlsafe())
        return self._hash.verify(normal(password), hashed or self._nobody) and hashed is not None

    async def _run(self, work: Callable[[], T]) -> T:
        if self._busy >= self._room:
            raise UnavailableError(
                "too many people log in at this moment; try again in a few seconds", code="busy"
            )
        self._busy += 1  # only ever on the event loop
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._busy -= 1


def normal(text: str) -> str:
    """The same letters, however a keyboard composed them."""
    return unicodedata.normalize("NFKC", text)


def require_good(password: str, *own: str) -> None:
    """Raises InvalidError, saying what is asked. ``own``: the person's login and name."""
    plain = normal(password)
    if len(plain) < SHORTEST:
        raise InvalidError(
            f"a password has at least {SHORTEST} characters; three or four words that have nothing to do "
            "with each other are easy to type and hard to guess",
            field="password",
            code="password-short",
            params={"least": SHORTEST},
        )
    if len(plain) > LONGEST:
        raise InvalidError(
            f"a password has at most {LONGEST} characters",
            field="password",
            code="password-long",
            params={"most": LONGEST},
        )
    if len(_uncommon(plain.casefold(), own)) < LEFT:
        raise InvalidError(
            "this password is one of the first that are guessed (common words, names, repetitions or runs "
            "of keys); choose another",
            field="password",
            code="password-common",
        )


def _uncommon(plain: str, own: tuple[str, ...]) -> str:
    """What is left of a password without all that is common in it."""
    words = {word for name in own for word in re.split(r"\W+", normal(name).casefold()) if len(word) > 2}
    left = _without_runs(_without(COMMON | words, plain))
    left = re.sub(r"(.+?)\1+", r"\1", left)  # repetitions, of one character or of several
    left = re.sub(r"(19|20)\d\d", "", left)  # the year
    return re.sub(r"[\W_]", "", left)


def _without(words: Collection[str], text: str) -> str:
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, "")
    return text


def _without_runs(text: str) -> str:
    for keys in RUNS:
        for run in (keys, keys[::-1]):
            lengths = range(len(run), 3, -1)
            text = _without([run[at : at + n] for n in lengths for at in range(len(run) - n + 1)], text)
    return text
