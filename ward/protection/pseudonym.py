"""A keyed hash in the place of what identifies a patient (``WARD_PATIENT_REF=pseudonym``).

The same reference gives the same pseudonym, so the stays of one patient can be found by who knows the
reference. Who has only the database cannot go back: the key is a file of its own. A reference of few digits
could be guessed by who has the key as well.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from ward.errors import UnavailableError

FILE: Final = "pseudonym.key"
PREFIX: Final = "p-"
BYTES: Final = 10
"""80 bits: no two of a million patients meet by chance."""


class Pseudonyms:
    """With the key of one data folder, which is made where there is none."""

    def __init__(self, data_dir: Path) -> None:
        self._key = _key(data_dir / FILE)

    def of(self, ref: str) -> str:
        digest = hmac.new(self._key, ref.strip().encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
        return PREFIX + digest[:BYTES].hex()


def _key(path: Path) -> bytes:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        key = path.read_bytes()
        if len(key) < 32:
            raise UnavailableError(f"{path} is no key: restore it from a backup") from None
        return key
    with os.fdopen(handle, "wb") as output:
        key = secrets.token_bytes(32)
        output.write(key)
        output.flush()
        os.fsync(output.fileno())
    return key
