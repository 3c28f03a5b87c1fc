"""Keeps a downtime sheet of every ward in the data folder, so that there is one to print when nothing else
works. Readable by the folder's owner only: patients are named in it."""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

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

    def write(self, board: Board) -> list[Path]:
        """One for every ward that has patients, each replaced as a whole; those of empty wards go. Before the
        first evaluation nothing changes: an older sheet is better than an empty one. Raises ExceptionGroup
        once all others are written, and what cannot be is left as it is."""
        if not board.time:
            return []
        wards: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for stay in board.stays.values():
            wards[stay["ward"]].append(stay)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        written, faults = [], []
        for ward, stays in wards.items():
            try:
                pdf = sheet(ward, stays, self._zone_of(ward), self._language, board.time)
                written.append(self._write(self.folder / file_of(ward), pdf))
            except Exception as error:
                faults.append(error)
        for old in set(self.folder.glob("*.pdf")) - {self.folder / file_of(ward) for ward in wards}:
            old.unlink()
        if faults:
            raise ExceptionGroup("downtime sheets that could not be written", faults)
        return written

    def _write(self, path: Path, pdf: bytes) -> Path:
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(pdf)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        return path
