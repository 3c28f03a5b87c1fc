"""Rows of CSV text, as recordings and rows to score come in."""

from __future__ import annotations

import csv
import io


def rows_of(text: str, delimiter: str = ",") -> list[tuple[int, list[str]]]:
    """Rows that are not empty, each with its (last) line's number. Raises ValueError with the line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from error
