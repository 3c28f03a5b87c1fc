"""Labelled events for trials over recordings: a file ``stay,time``, or what the Challenge 2019 files hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from ward.errors import InvalidError
from ward.ingest.csvtext import rows_of
from ward.signals import HOUR, SECOND

SEPSIS: Final = "sepsis"
"""The word for: as the files themselves say."""
_BEFORE_ONSET: Final = 6 * HOUR
"""SepsisLabel is 1 from so long before the onset."""

Times = Mapping[str, set[int]]
"""Stay to times, ms of the recording's own line of time."""


def read_labels(given: str, files: Sequence[Path]) -> Times:
    """``given``: a CSV file, or ``sepsis``. Raises InvalidError with file, line and what is allowed."""
    if given == SEPSIS:
        return _onsets(files)
    return _parsed(_rows(Path(given), ","), given)


def parse_labels(text: str, name: str) -> Times:
    """The same of a text; ``name``: what messages call it."""
    try:
        rows = rows_of(text, ",")
    except ValueError as error:
        raise InvalidError(f"{name}: cannot be read: {error}", field="labels") from None
    return _parsed(rows, name)


def _parsed(rows: list[tuple[int, list[str]]], path: str) -> Times:
    if not rows or [name.strip() for name in rows[0][1][:2]] != ["stay", "time"]:
        raise InvalidError(f"{path}: the first line must be stay,time", field="labels", code="labels-head")
    found: dict[str, set[int]] = defaultdict(set)
    for line, row in rows[1:]:
        try:
            found[row[0].strip()].add(_ms(row[1].strip()))
        except (ValueError, IndexError, OverflowError):
            raise InvalidError(
                f"{path}, line {line}: must be a stay and a time, RFC 3339 with an offset, or seconds as in "
                "the recording",
                field="labels",
                code="labels-line",
                params={"line": line},
            ) from None
    return found


def _ms(text: str) -> int:
    try:
        return round(float(text) * SECOND)
    except ValueError:
        moment = datetime.fromisoformat(text.upper())
        if moment.tzinfo is None:
            raise
        return round(moment.timestamp() * SECOND)


def _onsets(files: Sequence[Path]) -> Times:
    """The onset of each stay that has one, from pipe-separated files of the Challenge 2019."""
    found: dict[str, set[int]] = {}
    every = [f for p in files for f in (sorted(x for x in p.iterdir() if x.is_file()) if p.is_dir() else [p])]
    for path in every:
        rows = _rows(path, "|")
        try:
            hour, label = (rows[0][1].index(name) for name in ("ICULOS", "SepsisLabel"))
            first = next((row for _, row in rows[1:] if float(row[label]) > 0), None)
            if first is not None:
                found[path.name.removesuffix(".gz").rpartition(".")[0]] = {
                    round(float(first[hour]) * HOUR) + _BEFORE_ONSET
                }
        except (ValueError, IndexError):
            raise InvalidError(
                f"{path}: --labels {SEPSIS} needs the columns ICULOS and SepsisLabel"
            ) from None
    return found


def _rows(path: Path, delimiter: str) -> list[tuple[int, list[str]]]:
    try:
        return rows_of(path.read_text("utf-8-sig"), delimiter)
    except (OSError, ValueError) as error:
        raise InvalidError(f"{path}: cannot be read: {error}") from None
