"""The engine of one partition, whoever that is: it is asked what only it knows or may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import httpx
from sqlalchemy import Engine as Database

from ward import errors
from ward.errors import UnavailableError, WardError
from ward.store.partition import address_of

ANSWER_S: Final = 35.0
LOOK: Final = "look whether it was done before you ask again"
Json = dict[str, Any]

_KINDS: Final[Mapping[str, type[WardError]]] = {
    kind.type: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, WardError)
}


class Owner:
    """Where it answers is in the database. ``secret`` is the cluster's; ``silence_s``: it is given up that
    says nothing for so long (where no other time is said). Safe from any thread."""

    def __init__(self, db: Database, number: int, secret: str, *, silence_s: float) -> None:
        self._db, self._number = db, number
        headers = {"Authorization": f"Bearer {secret}"}
        self.client = httpx.Client(headers=headers, timeout=httpx.Timeout(silence_s), trust_env=False)

    def post(self, path: str, asked: Json, timeout_s: float = ANSWER_S) -> Json:
        """What the owner answers. Raises what it raised, and UnavailableError where it does not answer."""
        try:
            url = f"{self.address()}/internal/{path}"
            answer = self.client.post(url, json=asked, timeout=timeout_s)
            answer.raise_for_status()
            said: Json = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise UnavailableError(f"the engine of this ward does not answer; {LOOK}") from error
        if failed := said.get("error"):
            raise _KINDS.get(failed["type"], UnavailableError)(failed["detail"], **failed["extra"])
        return said

    def address(self) -> str:
        """Raises UnavailableError where nobody has had the partition yet."""
        with self._db.connect() as connection:
            address = address_of(connection, self._number)
        if address is None:
            raise UnavailableError("no engine has this ward yet")
        return address

    def close(self) -> None:
        self.client.close()
