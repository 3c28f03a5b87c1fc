"""A trial that several processes share, on several machines: its groups of stays are rows of the database.

Who asks puts them there, works on them with copies of itself and waits; ``ward work`` anywhere takes what is
left. A group is a pure function of what the row says and of the history, so whoever does it, once or twice,
comes to the same.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import time
import uuid
from collections.abc import Sequence
from dataclasses import fields
from multiprocessing.process import BaseProcess
from typing import Final

import msgspec
import numpy as np
from sqlalchemy import Engine as Database

from ward.scoring.rules import Rule
from ward.store.trial_parts import Taken, finish, forget, found_of, keep, post, standing, take, want
from ward.trial.beside import Progress
from ward.trial.load import Span, readings_of
from ward.trial.sweep import Alerts, Part, Sets, Subject, work_on

LOOK_S: Final = 0.5
TOLD_S: Final = 2.0
"""The database is told how far a part is no more often."""
_ALERTS: Final = [field.name for field in fields(Alerts)]


class _Subject(msgspec.Struct, array_like=True):
    stay: str
    start: int
    end: int
    size: int
    sets: int
    flags: list[str]
    declared: list[int]


class _Sets(msgspec.Struct, array_like=True):
    sets: list[list[Rule]]
    watch: list[Rule]


class Asked(msgspec.Struct):
    """All that a part is made of but the history."""

    span: Span
    sets: list[_Sets]
    subjects: list[_Subject]


class NobodyWaitsError(Exception):
    """Whoever asked has gone, or another process has the part."""


def asked_of(subjects: Sequence[Subject], stays: Sequence[str], span: Span) -> bytes:
    number = {sets: n for n, sets in enumerate(dict.fromkeys(one.sets for one in subjects))}
    rows = [
        _Subject(stay, s.start, s.end, s.size, number[s.sets], sorted(s.flags), list(s.declared))
        for stay, s in zip(stays, subjects, strict=True)
    ]
    sets = [_Sets([list(rules) for rules in one.sets], list(one.watch)) for one in number]
    return msgspec.msgpack.encode(Asked(span, sets, rows))


def part_of(db: Database, asked: bytes, progress: Progress) -> Part:
    """The work itself."""
    given = msgspec.msgpack.decode(asked, type=Asked)
    sets = [Sets(tuple(map(tuple, one.sets)), tuple(one.watch)) for one in given.sets]
    subjects = [
        Subject(s.start, s.end, s.size, sets[s.sets], frozenset(s.flags), tuple(s.declared))
        for s in given.subjects
    ]
    stays = [s.stay for s in given.subjects]
    every = slice(0, len(subjects))
    return work_on(subjects, every, lambda where: readings_of(db, stays[where], given.span), progress)


def packed(part: Part) -> bytes:
    file = io.BytesIO()
    columns = {name: getattr(part.alerts, name) for name in _ALERTS}
    np.savez_compressed(file, **columns, monitored=part.monitored, readings=np.int64(part.readings))
    return file.getvalue()


def unpacked(found: bytes, first: int) -> Part:
    """``first``: the position of its first stay among all."""
    with np.load(io.BytesIO(found), allow_pickle=False) as held:
        columns = {name: held[name] for name in _ALERTS}
        columns["stay"] = columns["stay"] + first
        return Part(Alerts(**columns), held["monitored"], int(held["readings"]))


def work_once(db: Database, by: str, trial: str | None = None) -> bool:
    """Take a part, of one trial or of any, and do it. False where there is none."""
    with db.begin() as tx:
        taken = take(tx, by, trial)
    if taken is None:
        return False
    found, error = None, None
    try:
        found = packed(part_of(db, taken.asked, _Keeping(db, taken).told))
    except NobodyWaitsError:
        return True
    except Exception as failed:
        error = f"{type(failed).__name__}: {failed}"
    with db.begin() as tx:
        finish(tx, taken, found, error)
    return True


class _Keeping:
    """Says how far a part is, and ends it where nobody waits for it."""

    def __init__(self, db: Database, taken: Taken) -> None:
        self._db, self._taken, self._due = db, taken, time.monotonic() + TOLD_S

    def told(self, done: float) -> None:
        if time.monotonic() < self._due:
            return
        with self._db.begin() as tx:
            if not keep(tx, self._taken, done):
                raise NobodyWaitsError
        self._due = time.monotonic() + TOLD_S


class Shared:
    """As ``ward.trial.sweep.Sharing``. ``db`` must have no open connection: copies of this process are made.
    Raises ChildProcessError where a part cannot be done."""

    def __init__(self, db: Database, stays: Sequence[str], span: Span, processes: int) -> None:
        self._db, self._stays, self._span, self._processes = db, stays, span, processes

    def __call__(
        self, subjects: Sequence[Subject], groups: Sequence[slice], progress: Progress
    ) -> list[Part]:
        trial = uuid.uuid4().hex
        asked = [asked_of(subjects[where], self._stays[where], self._span) for where in groups]
        sizes = np.array([sum(one.size for one in subjects[where]) for where in groups], np.float64)
        with self._db.begin() as tx:
            post(tx, trial, asked)
        self._db.dispose()
        context = multiprocessing.get_context("fork")
        copies: list[BaseProcess] = []
        try:
            for _ in range(min(self._processes, len(groups))):
                copies.append(context.Process(target=_help, args=(self._db, trial)))
                copies[-1].start()
            self._wait(trial, sizes / max(sizes.sum(), 1.0), copies, progress)
            with self._db.connect() as connection:
                found = found_of(connection, trial)
        finally:
            for copy in copies:
                copy.kill()
                copy.join()
            with self._db.begin() as tx:
                forget(tx, trial)
        return [unpacked(one, where.start) for one, where in zip(found, groups, strict=True)]

    def _wait(
        self, trial: str, shares: np.ndarray, copies: Sequence[BaseProcess], progress: Progress
    ) -> None:
        far = 0.0
        while True:
            with self._db.begin() as tx:
                want(tx, trial)
                parts = standing(tx, trial)
            if failed := next((one.error for one in parts if one.error), None):
                raise ChildProcessError(f"a part of the trial failed: {failed}")
            far = max(far, float(sum(share * one.done for share, one in zip(shares, parts, strict=True))))
            progress(min(far, 1.0))
            if all(one.is_found for one in parts):
                return
            if copies and not any(copy.is_alive() for copy in copies):
                raise ChildProcessError("the copies of the trial's process died")
            time.sleep(LOOK_S)


def _help(db: Database, trial: str) -> None:
    """A copy's life: it is ended by whoever made it."""
    by = name_of_this()
    while True:
        if not work_once(db, by, trial):
            time.sleep(LOOK_S)


def name_of_this() -> str:
    return f"{os.uname().nodename}/{os.getpid()}"
