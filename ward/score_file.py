"""``ward score``: rows of observations in, the same rows with NEWS2 and its sub-scores out."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ward.errors import InvalidError
from ward.ingest.csvtext import rows_of
from ward.scoring import news2
from ward.signals import CONSCIOUSNESS, INDEX, SIGNALS

ADDED: Final[tuple[str, ...]] = (
    "news2",
    *(f"news2_{part}" for part in news2.PARTS),
    "news2_missing",
    "news2_risk",
)
"""Columns that scoring adds, in this order."""
MISSING: Final = frozenset(("", "nan"))
_SHOWN: Final = 10


class ScoreFileError(InvalidError):
    """Rows that cannot be scored; the detail names line, column, value and what is allowed."""


def score_file(path: str | Path, output: str | Path | None = None) -> None:
    """Score the CSV file at ``path`` to ``output``, or to standard output.

    Raises ``ScoreFileError``, and then writes nothing.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ScoreFileError(f"{path}: cannot be read: {error}") from None
    try:
        scored = score_text(text)
    except ScoreFileError as error:
        raise ScoreFileError(f"{path}: {error.detail}", **error.extra) from None
    if output is None:
        sys.stdout.write(scored)
        return
    try:
        Path(output).write_text(scored, encoding="utf-8", newline="")
    except OSError as error:
        raise ScoreFileError(f"{output}: cannot be written: {error}") from None


def score_text(text: str) -> str:
    """CSV text in, the same rows with the columns of ``ADDED`` out; what they held before is replaced.

    Columns read: ``rr spo2 spo2_scale oxygen sbp hr consciousness temp``, any others are kept as they
    are. An empty cell, or a column that is not there, is 'not known' (scale: 1): it counts 0 and is
    named in ``news2_missing``. Where not one physiological part is known, score and risk are empty.
    Raises ``ScoreFileError``, naming every bad cell (the first ten), and then scores nothing.
    """
    try:
        rows = rows_of(text)
    except ValueError as error:
        raise ScoreFileError(str(error)) from None
    header = [name.strip() for name in rows.pop(0)[1]] if rows else []
    _check(header, rows)

    problems: list[str] = []
    columns = {name: _column(name, header, rows, convert, problems) for name, convert in _CONVERTERS.items()}
    if problems:
        more = f" (and {len(problems) - _SHOWN} more)" if len(problems) > _SHOWN else ""
        raise ScoreFileError("; ".join(problems[:_SHOWN]) + more, problems=problems)
    scale = np.where(np.isnan(columns["spo2_scale"]), 1, columns["spo2_scale"])
    result = news2.score(**{part: columns[part] for part in news2.PARTS}, scale=scale)

    kept = [i for i, name in enumerate(header) if name not in ADDED]
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow([*(header[i] for i in kept), *ADDED])
    for number, (_, row) in enumerate(rows):
        known = bool(result.known[number])
        writer.writerow(
            [
                *(row[i] for i in kept),
                int(result.total[number]) if known else "",
                *result.parts[number].tolist(),
                news2.missing_names(result.missing[number]),
                news2.RISKS[result.risk[number]] if known else "",
            ]
        )
    return target.getvalue()


def _check(header: list[str], rows: list[tuple[int, list[str]]]) -> None:
    if set(header).isdisjoint(news2.PARTS):
        raise ScoreFileError(f"line 1: none of the columns {' '.join(_CONVERTERS)} is there")
    if twice := [name for name in _CONVERTERS if header.count(name) > 1]:
        raise ScoreFileError(f"line 1: column {twice[0]} is there twice")
    for line, row in rows:
        if len(row) != len(header):
            raise ScoreFileError(f"line {line}: {len(row)} cells, the header has {len(header)}")


def _column(
    name: str,
    header: list[str],
    rows: list[tuple[int, list[str]]],
    convert: Callable[[str], float],
    problems: list[str],
) -> NDArray[np.float64]:
    values = np.full(len(rows), np.nan)
    if name not in header:
        return values
    at = header.index(name)
    for number, (line, row) in enumerate(rows):
        cell = row[at].strip()
        if cell.lower() in MISSING:
            continue
        try:
            values[number] = convert(cell)
        except ValueError as error:
            problems.append(f"line {line}, {name}: {cell!r} is not {error}")
    return values


def _measured(name: str) -> Callable[[str], float]:
    low, high = SIGNALS[INDEX[name]].possible

    def convert(cell: str) -> float:
        try:
            value = float(cell)
        except ValueError:
            raise ValueError("a number") from None
        if not low <= value <= high:
            raise ValueError(f"within {low:g} to {high:g}")
        return value

    return convert


def _one_of(words: Mapping[str, float]) -> Callable[[str], float]:
    def convert(cell: str) -> float:
        word = cell.upper().removesuffix(".0")
        if word not in words:
            raise ValueError(f"one of {' '.join(words)}")
        return words[word]

    return convert


_CONVERTERS: Final[dict[str, Callable[[str], float]]] = {
    "rr": _measured("rr"),
    "spo2": _measured("spo2"),
    "spo2_scale": _one_of({"1": 1, "2": 2}),
    "oxygen": _one_of({"0": 0, "1": 1}),
    "sbp": _measured("sbp"),
    "hr": _measured("hr"),
    "consciousness": _one_of(CONSCIOUSNESS),
    "temp": _measured("temp"),
}
