"""Known ends of the audit trail, kept beside the database: who can write into the database alone cannot
cut the trail's end off, or write the trail anew, without it showing here.

A file of JSON lines in the data folder: the newest end of each day, and the newest of all.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from ward.errors import InvalidError
from ward.store.audit import Head, Verdict, hash_at, head, verify

FILE: Final = "audit.heads"
DAY: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Known:
    """An end of the trail that was seen at a time (ms)."""

    at: int
    head: Head


class Heads:
    """The file in a data folder. One service writes it; a missing file knows nothing."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    def read(self) -> list[Known]:
        """The earliest first. Raises InvalidError for a file that is not one of these."""
        try:
            lines = self.path.read_text("ascii").splitlines()
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidError(f"{self.path}: cannot be read: {type(error).__name__}") from error
        try:
            found = [json.loads(line) for line in lines]
            return [Known(int(one["at"]), Head(int(one["seq"]), str(one["hash"]))) for one in found]
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidError(f"{self.path}: damaged; `ward audit seal` makes it anew") from error

    def write(self, known: list[Known]) -> None:
        text = "".join(
            json.dumps({"at": one.at, "seq": one.head.seq, "hash": one.head.hash}) + "\n" for one in known
        )
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)

    def add(self, connection: Connection, now: int) -> Verdict:
        """Go on from the newest known end: check what was written since, and know that end too.

        Where it does not hold nothing is added: the first place that does not fit stays to be seen.
        """
        known = self.read()
        last = known[-1].head if known else Head(0, "")
        there = hash_at(connection, last.seq)
        if last.seq and there is None:  # pruned, or cut off
            verdict = verify(connection, known=[last])
        elif last.seq and there != last.hash:
            return Verdict(0, last, last.seq, "its hash is not the one that is known")
        else:
            verdict = verify(connection, after=last.seq)
        if verdict.holds and verdict.head.seq > last.seq:
            if known and known[-1].at // DAY == now // DAY:
                known.pop()
            self.write([*known, Known(now, verdict.head)])
        return verdict

    def look(self, connection: Connection, lines: int) -> dict[str, Any]:
        """Whether the last lines of the trail fit together and to the known ends, as the API tells it."""
        known = [one.head for one in self.read()]
        after = max(0, head(connection).seq - lines)
        verdict = verify(connection, after=after, known=known)
        return {
            "holds": verdict.holds,
            "lines": verdict.lines,
            "after": after,
            "seq": verdict.head.seq,
            "hash": verdict.head.hash,
            "bad": verdict.bad,
            "wrong": verdict.wrong,
        }

    def seal(self, head: Head, now: int) -> None:
        """Know this end and no other: a person said that it is right."""
        self.write([Known(now, head)])
