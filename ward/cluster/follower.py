"""Follows the engine of one partition, whoever that is: a copy of all that it tells."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from typing import Any, Final

import httpx
import structlog
from sqlalchemy import Engine as Database
from sqlalchemy.exc import SQLAlchemyError

from ward.cluster.owner import Owner
from ward.cluster.whole import FOLLOWED, Whole
from ward.errors import UnavailableError

SILENCE_S: Final = 3.0
"""Who says nothing for so long, three times as long as it may, is not believed to be there."""
AGAIN_S: Final = 0.25

log = structlog.get_logger(__name__)


class Follower:
    """One thread. ``secret`` is the cluster's."""

    def __init__(self, db: Database, whole: Whole, number: int, secret: str) -> None:
        self._whole, self._number = whole, number
        self.owner = Owner(db, number, secret, silence_s=SILENCE_S)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"follower-{number}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self.owner.close()
        if self._thread.is_alive():
            self._thread.join(2 * SILENCE_S)

    # ------------------------------------------------------------------ the thread

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow()
            except (httpx.HTTPError, SQLAlchemyError, UnavailableError, OSError):
                pass  # another will have it in a moment
            except Exception:
                if not self._stop.is_set():
                    log.exception("what an engine tells cannot be followed", partition=self._number)
            self._whole.away(self._number)
            self._stop.wait(AGAIN_S)

    def _follow(self) -> None:
        address = self.owner.address()
        with self.owner.client.stream("GET", f"{address}/internal/stream") as answer:
            answer.raise_for_status()
            for kind, data, id in _events(answer.iter_lines()):
                if self._stop.is_set():
                    return
                self._take(kind, data, id)
                if kind == "state" and self._has_moved(address):
                    return

    def _has_moved(self, address: str) -> bool:
        """Who is cut off from the database does not know yet that another has its wards."""
        with contextlib.suppress(SQLAlchemyError):
            return self.owner.address() != address
        return False

    def _take(self, kind: str, data: Any, id: int | None) -> None:
        whole, number = self._whole, self._number
        if kind == "board":
            whole.begin(number, data)
        elif kind == "state":
            whole.state(number, data)
        elif kind == "devices":
            whole.devices(number, data)
        elif kind == "board-number":
            whole.reached(number, data)
        elif kind in FOLLOWED:  # a newer ward may tell more
            whole.follow(number, kind, data, id)


def _events(lines: Iterator[str]) -> Iterator[tuple[str, Any, int | None]]:
    """(kind, data, id) of a stream of events."""
    kind, data, id = "", "", None
    for line in lines:
        name, _, text = line.partition(": ")
        if name == "event":
            kind = text
        elif name == "id":
            id = int(text)
        elif name == "data":
            data = text
        elif not line:
            yield kind, json.loads(data), id
            kind, data, id = "", "", None
