"""All that is kept of a patient's stays, in open formats (GDPR, Art. 15 and 20), a row at a time.

Sections by name: each is a list of flat objects, so that it can be JSON or CSV alike. Times are RFC 3339.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import IO, Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, Table, select

from ward.clock import iso
from ward.ingest.router import PERSON
from ward.scoring.filter import MARKS, REASONS
from ward.signals import CONSCIOUSNESS, SIGNALS
from ward.store.chunks import ITSELF, History, decode
from ward.store.history import latest
from ward.store.tables import (
    alerts,
    assignments,
    audit,
    deliveries,
    devices,
    drafts,
    events,
    history,
    rules,
    stays,
)

Row = dict[str, Any]
HOUR: Final = 3_600_000
README: Final = """All that ward keeps of these stays. Each file is there twice: .csv for a spreadsheet, and
.jsonl for programs (one JSON object a line). Times are UTC (RFC 3339). readings: what was measured; mark says
whether the filter found it valid; device "person" is what staff entered. audit: who saw or changed it.
"""
_TIMES: Final = frozenset(
    {"start", "end", "paused_until", "breach_since", "raised_at", "announced_at", "acknowledged_at"}
    | {"cleared_at", "closed_at", "shelved_until", "listed_at", "at", "created", "due", "sent", "approved_at"}
)
LETTERS: Final = {float(number): letter for letter, number in CONSCIOUSNESS.items()}


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    columns: tuple[str, ...]
    rows: Callable[[Connection, str], Iterator[Row]]


def _of(table: Table, *left_out: str, key: ColumnElement[Any] | None = None) -> Section:
    columns = tuple(c.name for c in table.columns if c.name not in left_out)
    whose = table.c.stay if key is None else key

    def rows(connection: Connection, stay: str) -> Iterator[Row]:
        query = select(*(table.c[name] for name in columns)).where(whose == stay)
        streamed = connection.execute(
            query.order_by(*table.primary_key), execution_options={"yield_per": 200}
        )
        for row in streamed:
            yield {
                name: iso(value) if name in _TIMES and isinstance(value, int) else value
                for name, value in zip(columns, row, strict=True)
            }

    return Section(table.name, columns, rows)


def _limits(connection: Connection, stay: str) -> Iterator[Row]:
    return _of(rules, key=rules.c.scope).rows(connection, f"stay:{stay}")


def _drafts(connection: Connection, stay: str) -> Iterator[Row]:
    return _of(drafts, key=drafts.c.scope).rows(connection, f"stay:{stay}")


_READING: Final = ("time", "signal", "value", "unit", "mark", "reason", "device", "seq")


def _readings(connection: Connection, stay: str) -> Iterator[Row]:
    """An hour at a time: a reading that was written again, because its mark was resolved, is there once."""
    found = connection.execute(select(devices.c.number, devices.c.key).where(devices.c.number.is_not(None)))
    names = {row.number: row.key for row in found} | {PERSON: "person", ITSELF: "ward"}
    mine = history.c.stay == stay
    hours = connection.scalars(select(history.c.start // HOUR).where(mine).distinct()).all()
    ends = connection.scalars(select(history.c.end // HOUR).where(mine).distinct()).all()
    for hour in range(min(hours, default=0), max(ends, default=-1) + 1):
        start, end = hour * HOUR, (hour + 1) * HOUR
        chunks = select(history.c.payload).where(mine, history.c.end >= start, history.c.start < end)
        parts = [decode(payload) for payload in connection.scalars(chunks.order_by(history.c.id))]
        if parts:
            every = latest(History.concat(parts))
            yield from _spoken(every.take((every.time >= start) & (every.time < end)), names)


def _spoken(readings: History, names: dict[int, str]) -> Iterator[Row]:
    columns = (getattr(readings, name).tolist() for name in ("time", "signal", "value", "mark", "reason"))
    for time, signal, value, mark, reason, device, seq in zip(
        *columns, readings.device.tolist(), readings.seq.tolist(), strict=True
    ):
        known = SIGNALS[signal]
        yield {
            "time": iso(time),
            "signal": known.name,
            "value": LETTERS.get(value) if known.name == "consciousness" else value,
            "unit": known.unit,
            "mark": MARKS[mark],
            "reason": REASONS[reason] or None,
            "device": names.get(device, str(device)),
            "seq": seq if seq >= 0 else None,
        }


def _audit(connection: Connection, stay: str) -> Iterator[Row]:
    names = tuple(c.name for c in audit.columns if c.name not in ("previous", "hash"))
    query = select(*(audit.c[name] for name in names)).where(audit.c.stay == stay).order_by(audit.c.seq)
    for row in connection.execute(query, execution_options={"yield_per": 200}):
        yield {**row._mapping, "at": iso(row.at)}


SECTIONS: Final = (
    _of(stays, key=stays.c.id),
    _of(assignments),
    Section("readings", _READING, _readings),
    _of(alerts),
    _of(events),
    _of(deliveries, "lease_by", "lease_until", "key"),
    Section("limits", tuple(c.name for c in rules.columns), _limits),
    Section("drafts", tuple(c.name for c in drafts.columns), _drafts),
    Section("audit", tuple(c.name for c in audit.columns if c.name not in ("previous", "hash")), _audit),
)


def as_json(engine: Engine, ids: list[str]) -> Generator[bytes, None, None]:
    """One JSON document: ``{"stays": [{"stays": [{…}], "assignments": […], "readings": […], …}]}``."""
    with engine.connect() as connection:
        yield b'{"stays": ['
        for n, stay in enumerate(ids):
            yield b",\n{" if n else b"\n{"
            for place, section in enumerate(SECTIONS):
                yield f"{',' if place else ''}\n {json.dumps(section.name)}: [".encode()
                for count, row in enumerate(section.rows(connection, stay)):
                    yield (",\n  " if count else "\n  ").encode() + json.dumps(row).encode()
                yield b"]"
            yield b"}"
        yield b"]}\n"


def as_zip(engine: Engine, ids: list[str], output: IO[bytes]) -> None:
    """A ZIP file: a folder a stay, in it each section as CSV and as JSON lines."""
    with engine.connect() as connection, zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README)
        for stay in ids:
            for section in SECTIONS:
                with archive.open(f"{stay}/{section.name}.csv", "w", force_zip64=True) as file:
                    _write_csv(io.TextIOWrapper(file, "utf-8", newline=""), section, connection, stay)
                with archive.open(f"{stay}/{section.name}.jsonl", "w", force_zip64=True) as file:
                    for row in section.rows(connection, stay):
                        file.write(json.dumps(row).encode() + b"\n")


def _write_csv(file: io.TextIOWrapper, section: Section, connection: Connection, stay: str) -> None:
    writer = csv.DictWriter(file, section.columns, lineterminator="\n")
    writer.writeheader()
    for row in section.rows(connection, stay):
        writer.writerow({name: _cell(value) for name, value in row.items()})
    file.flush()
    file.detach()


def _cell(value: Any) -> Any:
    """What a spreadsheet shows as it is: text that begins like a formula is none."""
    if isinstance(value, dict | list):
        return json.dumps(value)
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
