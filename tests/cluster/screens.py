"""A screen before the web processes: follows the stream of events, and goes on at another when one dies."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
import time
from collections import Counter
from typing import Final

import httpx

from tests.e2e.served import Served

SILENCE_S: Final = 7.0
"""A web says each 3 s how it is; one that does not is left."""


class Screen(threading.Thread):
    """Counts each change of an alert told to it, by the change's number. Says that it shows what is new."""

    def __init__(self, webs: list[Served], token: str) -> None:
        super().__init__(name="screen", daemon=True)
        self._turns = itertools.cycle(webs)
        self._headers = {"Authorization": f"Bearer {token}"}
        self._ended = threading.Event()
        self.place: str | None = None
        """Where it is in the log: what it says when it comes back."""
        self.begun: list[int] = []
        """The same at its beginning, a number for each partition."""
        self.seen: Counter[int] = Counter()
        """How often each change was told beyond the place that the screen had reached."""
        self.moves_s: list[float] = []
        """From each end of a stream until another one told how the ward is."""
        self._lost: float | None = None

    def run(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(httpx.HTTPError):
                self._follow(next(self._turns))
            self._lost = self._lost or time.monotonic()
            self._ended.wait(0.2)

    def _follow(self, web: Served) -> None:
        headers = self._headers | ({"Last-Event-ID": self.place} if self.place else {})
        url = f"{web.url}/api/v1/events?form=changes"
        with httpx.stream("GET", url, headers=headers, timeout=SILENCE_S) as answer:
            answer.raise_for_status()
            kind, id = "", ""
            for line in answer.iter_lines():
                name, _, text = line.partition(": ")
                if name == "event":
                    kind, id = text, ""
                elif name == "id":
                    id = text
                elif name == "data":
                    self._take(kind, text, id)
                    if kind == "notice":
                        self._say_shown(web, json.loads(text)["id"])
                if self._ended.is_set():
                    return

    def _take(self, kind: str, text: str, id: str) -> None:
        if kind == "snapshot":
            if self._lost is not None and self.begun:
                self.moves_s.append(round(time.monotonic() - self._lost, 2))
            self._lost = None
            self.begun = self.begun or numbers(id)
        elif kind == "alert":
            self.seen[int(json.loads(text)["event"]["seq"])] += 1
        if id:
            self.place = id

    def _say_shown(self, web: Served, notice: int) -> None:
        """As a page does; one that could not be said is said at the next telling."""
        with contextlib.suppress(httpx.HTTPError):
            headers = self._headers | {"X-Ward-Active": "0"}
            url = f"{web.url}/api/v1/notices/shown"
            httpx.post(url, headers=headers, json={"ids": [notice]}, timeout=SILENCE_S).raise_for_status()

    def close(self) -> None:
        self._ended.set()
        self.join(2 * SILENCE_S)


def numbers(place: str) -> list[int]:
    return [int(part) for part in place.split("-")]
