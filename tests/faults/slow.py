"""A disk that is really slow: the kernel lets the processes that write their data do so few writes a second.

A control group with a limit of write operations on the device of the data folder (blkio in version 1,
io.max in version 2): each flush of a commit then waits its turn at the block layer, as behind a disk that
is worn out or shared with too many.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.faults.house import MissingPartError, children_of
from tests.faults.run import Run

MOUNTED: Final = Path("/sys/fs/cgroup")
WRITES: Final = (5, 40)
"""Write operations a second: the least and the most. A commit needs two to five of them."""


class Throttle:
    """A control group of this run. ``limit`` None: as fast as the disk is."""

    def __init__(self, folder: Path) -> None:
        self._device = _disk_of(folder)
        is_first = (MOUNTED / "blkio").is_dir()
        self._group = (MOUNTED / "blkio" if is_first else MOUNTED) / f"ward-slow-{os.getpid()}"
        self._file, self._form = (
            ("blkio.throttle.write_iops_device", "{0} {1}") if is_first else ("io.max", "{0} wiops={1}")
        )
        self._none = "0" if is_first else "max"
        try:
            if not is_first:
                (MOUNTED / "cgroup.subtree_control").write_text("+io")
            self._group.mkdir()
            self.limit(None)
        except OSError as error:
            raise MissingPartError(f"needs root and control groups, to slow a disk down ({error})") from None

    def limit(self, writes: int | None) -> None:
        (self._group / self._file).write_text(self._form.format(self._device, writes or self._none))

    def take(self, process: int) -> None:
        (self._group / "cgroup.procs").write_text(str(process))

    def close(self) -> None:
        self.limit(None)
        outside = self._group.parent / "cgroup.procs"
        for process in (self._group / "cgroup.procs").read_text().split():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                outside.write_text(process)
        self._group.rmdir()


def slow_disk(run: Run) -> None:
    """Whoever keeps the data (the service with SQLite, or PostgreSQL) writes slowly for a while."""
    with _throttled(run) as throttle:
        for turn in range(run.options.times):
            writes = run.rng.randint(*WRITES)
            throttle.limit(writes)
            before = _journal(run)
            run.pause(10.0, 25.0)
            count, seconds = (after - b for after, b in zip(_journal(run), before, strict=True))
            throttle.limit(None)
            run.recovered()
            run.pause(3.0, 6.0)
            run.report.times += 1
            each = round(seconds / max(count, 1.0), 2)
            run.report.figures.setdefault("seconds_a_batch", []).append(each)
            run.say(
                f"slow disk {turn + 1} of {run.options.times}: {writes} writes a second, {each} s a batch"
            )


@contextlib.contextmanager
def _throttled(run: Run) -> Iterator[Throttle]:
    throttle = Throttle(run.house.folder)
    try:
        for process in _keepers(run):
            throttle.take(process)
        yield throttle
    finally:
        throttle.close()


def _keepers(run: Run) -> list[int]:
    owner = run.house.postgres.process if run.house.postgres else run.house.ward.process
    assert owner is not None
    return [owner.pid, *children_of(owner.pid)]


def _journal(run: Run) -> tuple[float, float]:
    """Batches that were made durable since the service's start, and how long that took in all, s."""
    names = ("ward_journal_append_seconds_count", "ward_journal_append_seconds_sum")
    count, seconds = (run.house.metric(name) or 0.0 for name in names)
    return count, seconds


def _disk_of(folder: Path) -> str:
    """``major:minor`` of the whole disk that a folder lies on."""
    number = folder.stat().st_dev
    block = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    if not block.exists():
        raise MissingPartError("needs a folder on a disk (TMPDIR), to slow it down")
    if (block / "partition").exists():
        block = block.resolve().parent
    return (block / "dev").read_text().strip()
