"""Parts of one work done beside each other, by copies of this process: what a trial does for groups of stays.

The copies are forks: each has what this process has, and hands back what it made. So only a process without
threads and open connections may ask for more than one.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TypeVar

T = TypeVar("T")
Progress = Callable[[float], None]
"""Told what part of the whole is done, 0 to 1. May raise, to end it."""
Work = Callable[[int, Progress], T]
"""Makes one part, by its number."""


def beside(work: Work[T], sizes: Sequence[int], progress: Progress, processes: int = 1) -> list[T]:
    """All parts, in order. ``sizes``: how much each of them is, for the progress. Raises what a part raised;
    ``ChildProcessError`` where a copy died."""
    done = [0.0] * len(sizes)
    total = max(sum(sizes), 1)

    def told(number: int, part: float) -> None:
        done[number] = part
        progress(sum(size * own for size, own in zip(sizes, done, strict=True)) / total)

    if processes == 1 or len(sizes) < 2:
        return [work(number, partial(told, number)) for number in range(len(sizes))]
    return _forked(work, len(sizes), told, min(processes, len(sizes)))


def _forked(work: Work[T], many: int, told: Callable[[int, float], None], processes: int) -> list[T]:
    context = multiprocessing.get_context("fork")
    results: dict[int, T] = {}
    copies: dict[Connection, BaseProcess] = {}
    try:
        for first in range(processes):
            here, there = context.Pipe(duplex=False)
            mine = range(first, many, processes)
            copies[here] = context.Process(target=_copy, args=(work, mine, there, [here, *copies]))
            copies[here].start()
            there.close()
        talking = list(copies)
        while talking:
            ready = wait(talking)
            for here in [one for one in talking if one in ready]:
                try:
                    number, is_made, value = here.recv()
                except EOFError:
                    talking.remove(here)
                    continue
                if isinstance(value, Exception):
                    raise value
                if is_made:
                    results[number] = value
                else:
                    told(number, value)
    finally:
        for here, process in copies.items():
            process.kill()
            process.join()
            here.close()
    if len(results) < many:
        raise ChildProcessError("a copy of the trial's process died")
    return [results[number] for number in range(many)]


def _copy(work: Work[T], mine: Sequence[int], out: Connection, inherited: Sequence[Connection]) -> None:
    """A copy's life: tells a part's number, whether what follows is what was made of it, and that, or how far
    it is. It dies with the next word of progress when nobody listens any more."""
    for connection in inherited:
        connection.close()
    number = -1

    def told(number: int, part: float) -> None:
        out.send((number, False, part))

    try:
        for number in mine:
            out.send((number, True, work(number, partial(told, number))))
    except BrokenPipeError:
        pass
    except Exception as error:
        out.send((number, True, error))
    finally:
        out.close()
