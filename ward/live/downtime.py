"""Keeps a downtime sheet of every ward in the data folder, so that there is one to print when nothing else
works. Readable by the folder's owner only: patients are named in it."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from ward.language import Language
from ward.live.board import Board
from ward.reports.downtime import sheet

FOLDER: Final = "downtime"
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST: Final = 120
"""Characters of a file's name; file systems take 255."""


def file_of(ward: str) -> str:
    """A ward's file name: what no file system takes is written as its number, and of what is then too long
    only the beginning and a digest."""
    name = _UNSAFE.sub(lambda found: f".{ord(found[0]):x}", ward)
    if len(name) > _LONGEST:
        name = f"{name[:_LONGEST]}..{hashlib.sha256(ward.encode()).hexdigest()[:16]}"
    return name + ".pdf"


class DowntimeSheets:
    """``zone_of`` gives the time zone of a ward's clock; ``mark`` sets apart an engine's folder."""

    def __init__(
        self, data_dir: Path, zone_of: Callable[[str], str], language: Language, mark: str = ""
    ) -> None:
        self.folder = data_dir / f"{FOLDER}{mark}"
        self._zone_of, self._language = zone_of, language

    def write(self, board: Callable[[], Board]) -> Iterator[Path]:
        """One for every ward that has patients, each replaced as a whole and made when the next is asked for,
        of what is known then; those of empty wards go. Before the first evaluation nothing changes: an older
        sheet is better than an empty one. Raises ExceptionGroup once all others are written, and what cannot
        be is left as it is."""
        if not board().time:
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        faults = []
        for ward in sorted(board().wards):
            now = board()
            try:
                pdf = sheet(ward, now.seen_by(ward.__eq__), self._zone_of(ward), self._language, now.time)
                path = self._write(self.folder / file_of(ward), pdf)
            except Exception as error:
                faults.append(error)
            else:
                yield path
        for old in set(self.folder.glob("*.pdf")) - {self.folder / file_of(ward) for ward in board().wards}:
            old.unlink()
        if faults:
            raise ExceptionGroup("downtime sheets that could not be written", faults)

    def _write(self, path: Path, pdf: bytes) -> Path:
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(pdf)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        return path
