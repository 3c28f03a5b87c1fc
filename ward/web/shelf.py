"""Recordings that rules can be tried over: files of a folder that the setting names, and what people bring.

Nobody names a path: a recording has an id, which is looked up among what lies there. What was brought goes
after a time, for nobody can say whom it is about.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ward.config import Settings
from ward.errors import ConflictError, InvalidError, NotFoundError
from ward.ingest.recordings import detect_format

LARGEST: Final = 32 << 20
"""Bytes of a recording that is brought."""
LARGEST_IN_FOLDER: Final = 256 << 20
MOST: Final = 10
"""So many each may have brought."""
MOST_IN_ALL: Final = 50
_HEAD: Final = 4_096
_DAY: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Lying:
    """A recording. ``size``: bytes; ``brought``: when, ms, by the one who asks, who may take it away again;
    None for one of the folder."""

    id: str
    name: str
    size: int
    brought: int | None
    path: Path


class Shelf:
    """``folder``: of the setting, read only; ``own``: below it a folder for each who brought something, which
    is kept for ``days``."""

    def __init__(self, folder: Path | None, own: Path | None, days: float = 30.0) -> None:
        self._folder, self._own, self._keep = folder, own, round(days * _DAY)

    @classmethod
    def of(cls, settings: Settings) -> Shelf:
        """The service's own."""
        return cls(settings.recordings, settings.data_dir / "recordings", settings.recording_retention_days)

    def lying(self, who: str) -> list[Lying]:
        """Those of the folder, then hers. Links and folders are passed over: they may lead elsewhere."""
        return [
            *_files(self._folder, LARGEST_IN_FOLDER, brought=False),
            *_files(self._hers(who), LARGEST, brought=True),
        ]

    def get(self, who: str, id: str) -> Lying:
        """Raises NotFoundError; another's looks like none."""
        found = next((one for one in self.lying(who) if one.id == id), None)
        if found is None:
            raise NotFoundError(f"no recording {id}")
        return found

    def bring(self, who: str, name: str, content: bytes) -> Lying:
        """Raises InvalidError for what is no recording, ConflictError where there is no room."""
        hers = self._hers(who)
        if hers is None or self._own is None:
            raise ConflictError("this service keeps no recordings", code="recordings-none")
        if len(content) > LARGEST:
            raise InvalidError(
                f"at most {LARGEST >> 20} MiB",
                field="body",
                code="recording-large",
                params={"most": LARGEST >> 20},
            )
        header = content[:_HEAD].decode("utf-8-sig", "replace").partition("\n")[0]
        if detect_format(header) is None:
            raise InvalidError(
                "no format that is known fits the first line: see `ward replay --help`",
                field="body",
                code="recording-form",
            )
        if len(_files(hers, LARGEST, brought=True)) >= MOST:
            raise ConflictError(
                f"you have brought {MOST} recordings: take one away first",
                code="recordings-many",
                params={"most": MOST},
            )
        if len(self._brought()) >= MOST_IN_ALL:
            raise ConflictError(
                f"people have brought {MOST_IN_ALL} recordings: some must go first",
                code="recordings-full",
                params={"most": MOST_IN_ALL},
            )
        hers.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = hers / f"{secrets.token_hex(8)}-{_plain(name)}"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        return _lying(path, brought=True)

    def take_away(self, who: str, id: str) -> None:
        """Raises NotFoundError, and ConflictError for one of the folder."""
        found = self.get(who, id)
        if found.brought is None:
            raise ConflictError("this recording is one of the service's folder", code="recording-folder")
        found.path.unlink(missing_ok=True)

    def until(self, one: Lying) -> int | None:
        """When it goes, ms; None for one of the folder, which is not the service's to delete."""
        return None if one.brought is None else one.brought + self._keep

    def forget(self, now: int) -> int:
        """Delete what was brought too long ago, whose folders then are empty, too; how many went."""
        old = [path for path in self._brought() if _since(path) + self._keep < now]
        for path in old:
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # there is more in it
                path.parent.rmdir()
        return len(old)

    def _brought(self) -> list[Path]:
        return [] if self._own is None else [path for path in self._own.glob("*/*") if path.is_file()]

    def _hers(self, who: str) -> Path | None:
        return None if self._own is None else self._own / hashlib.sha256(who.encode()).hexdigest()[:16]


def _files(folder: Path | None, largest: int, *, brought: bool) -> list[Lying]:
    if folder is None or not folder.is_dir():
        return []
    found = [
        _lying(path, brought=brought)
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.is_symlink() and not path.name.startswith(".")
    ]
    return [one for one in found if one.size <= largest]


def _lying(path: Path, *, brought: bool) -> Lying:
    id = hashlib.sha256(f"{brought} {path.name}".encode()).hexdigest()[:16]
    name = path.name.partition("-")[2] if brought else path.name
    return Lying(id, name, path.stat().st_size, _since(path) if brought else None, path)


def _since(path: Path) -> int:
    return path.stat().st_mtime_ns // 1_000_000


def _plain(name: str) -> str:
    """A file's name that means nothing to a file system: letters, figures, dots, never a path."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name)[-80:]
    return kept.lstrip(".-") or "recording.csv"
