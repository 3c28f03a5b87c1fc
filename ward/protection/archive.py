"""The form of a backup: one stream of JSON lines, the same for SQLite and PostgreSQL, shrunk with gzip.

    {"ward-backup": 1, "version": "0.1.0", "schema": "0006", "created": 1795000000000, "database": "sqlite"}
    {"table": "stays", "columns": ["id", …], "binary": []}
    ["0b6c…", …]                                     a row each; binary columns in base64
    {"rows": 24, "sha256": "…", "counter": null}     counter: the highest number given, where numbers count up
    {"file": "pseudonym.key", "mode": 384, "content": "base64", "sha256": "…"}
    {"done": {"tables": 20, "rows": 12345, "files": 1}}

The hash of a table is over its lines, each with its newline. What follows ``done``, or ends without it, is
no whole backup. So a backup can be read with ``age --decrypt``, ``zcat`` and any program that knows JSON.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from ward.errors import InvalidError

FORMAT: Final = 1
GZIP: Final = 31
"""zlib's number for gzip's header and check."""
LEVEL: Final = 1
"""Most of the bytes are shrunk already: the history, the snapshots."""
PIECE: Final = 1 << 16
LONGEST_LINE: Final = 1 << 30
"""More than any row can hold; a stream without an end of line must not fill the memory."""

BEHIND: Final = "the backup is damaged: there is something behind its end"


class ArchiveError(InvalidError):
    """Not a backup, a damaged one, or one that ends too early."""


@dataclass(frozen=True, slots=True)
class Header:
    """Who wrote it and when (ms), and the revision of the schema that the tables have."""

    version: str
    schema: str
    created: int
    database: str


@dataclass(slots=True)
class Summary:
    """What a backup holds: rows by table, and the names of the files."""

    header: Header | None = None
    rows: dict[str, int] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.rows.values())


class Sink(Protocol):
    """What is done with a backup while it is read. Each call is followed by its next only when it returns."""

    def begin(self, header: Header) -> None: ...
    def table(self, name: str, columns: Sequence[str]) -> None: ...
    def row(self, values: list[Any]) -> None: ...
    def end_table(self, counter: int | None) -> None: ...
    def file(self, name: str, mode: int, content: bytes) -> None: ...


class Checking:
    """A sink that only looks."""

    def begin(self, header: Header) -> None:
        pass

    def table(self, name: str, columns: Sequence[str]) -> None:
        pass

    def row(self, values: list[Any]) -> None:
        pass

    def end_table(self, counter: int | None) -> None:
        pass

    def file(self, name: str, mode: int, content: bytes) -> None:
        pass


# ------------------------------------------------------------------ writing


class Writer:
    """Makes the lines; each method yields the bytes to write."""

    def __init__(self) -> None:
        self._pack = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
        self.summary = Summary()

    def begin(self, header: Header) -> Iterator[bytes]:
        self.summary.header = header
        said = {"version": header.version, "schema": header.schema, "created": header.created}
        yield from self._line({"ward-backup": FORMAT, **said, "database": header.database})

    def table(
        self, name: str, columns: Sequence[str], binary: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> Iterator[bytes]:
        """All but the line that ends it: the counter is asked for when the rows are through."""
        yield from self._line({"table": name, "columns": list(columns), "binary": list(binary)})
        places = [columns.index(column) for column in binary]
        hashed = hashlib.sha256()
        count = 0
        for row in rows:
            values = list(row)
            for place in places:
                if values[place] is not None:
                    values[place] = base64.b64encode(values[place]).decode("ascii")
            line = _encoded(values)
            hashed.update(line)
            count += 1
            yield from self._packed(line)
        self.summary.rows[name] = count
        self._hash = hashed.hexdigest()

    def end_table(self, name: str, counter: int | None) -> Iterator[bytes]:
        end = {"rows": self.summary.rows[name], "sha256": self._hash, "counter": counter}
        yield from self._line(end)

    def file(self, name: str, mode: int, content: bytes) -> Iterator[bytes]:
        self.summary.files.append(name)
        line = {"file": name, "mode": mode, "content": base64.b64encode(content).decode("ascii")}
        yield from self._line({**line, "sha256": hashlib.sha256(content).hexdigest()})

    def end(self) -> Iterator[bytes]:
        yield from self._line({"done": _totals(self.summary)})
        yield self._pack.flush()

    def _line(self, value: Any) -> Iterator[bytes]:
        yield from self._packed(_encoded(value))

    def _packed(self, line: bytes) -> Iterator[bytes]:
        for start in range(0, len(line), PIECE):
            if packed := self._pack.compress(line[start : start + PIECE]):
                yield packed


def _encoded(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii") + b"\n"


def _totals(summary: Summary) -> dict[str, int]:
    return {"tables": len(summary.rows), "rows": summary.total, "files": len(summary.files)}


# ------------------------------------------------------------------ reading


class Parser:
    """Takes the bytes of a backup as they come and gives a sink what is in them, checked.

    ``write`` raises ArchiveError, and what the sink raises; ``finish`` says whether it was whole.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._unpack = zlib.decompressobj(GZIP)
        self._rest: list[bytes] = []
        self._held = 0
        self._table: str | None = None
        self._places: list[int] = []
        self._width = 0
        self._count = 0
        self._hash = hashlib.sha256()
        self._done = False
        self.summary = Summary()

    def write(self, data: bytes) -> int:
        """As a file's: so that what decrypts can write into it."""
        left = bytes(data)
        while left:
            if self._unpack.eof:
                raise ArchiveError(BEHIND)
            try:
                plain = self._unpack.decompress(left, PIECE)
            except zlib.error:
                raise ArchiveError("this is not a backup of ward, or it is damaged") from None
            left = self._unpack.unconsumed_tail
            self._take(plain)
        return len(data)

    def flush(self) -> None:
        """A file has it."""

    def finish(self) -> Summary:
        """What was in it. Raises ArchiveError unless the backup is whole."""
        if self._unpack.unused_data:
            raise ArchiveError(BEHIND)
        if not self._done or not self._unpack.eof or self._held:
            raise ArchiveError("the backup is cut off: its end is missing")
        return self.summary

    def _take(self, plain: bytes) -> None:
        *lines, rest = plain.split(b"\n")
        for line in lines:
            self._line(b"".join([*self._rest, line]))
            self._rest, self._held = [], 0
        if rest:
            self._rest.append(rest)
            self._held += len(rest)
        if self._held > LONGEST_LINE:
            raise ArchiveError("this is not a backup of ward, or it is damaged")

    def _line(self, line: bytes) -> None:
        if self._done:
            raise ArchiveError(BEHIND)
        try:
            self._understand(line, json.loads(line))
        except (ValueError, KeyError, TypeError, IndexError, RecursionError, binascii.Error):
            where = f" in table {self._table}" if self._table else ""
            raise ArchiveError(f"the backup is damaged{where}") from None

    def _understand(self, line: bytes, value: Any) -> None:
        if isinstance(value, list):
            self._row(line, value)
        elif self._table is not None:
            self._end_table(value)
        elif self.summary.header is None:
            self._begin(value)
        elif "table" in value:
            self._begin_table(value)
        elif "file" in value:
            self._file(value)
        elif value["done"] == _totals(self.summary):
            self._done = True
        else:
            raise ArchiveError("the backup is damaged: something in it is missing")

    def _begin(self, value: dict[str, Any]) -> None:
        form = value["ward-backup"]
        if form != FORMAT:
            raise ArchiveError(f"a backup of form {form}; this version of ward reads form {FORMAT}")
        header = Header(
            str(value["version"]), str(value["schema"]), int(value["created"]), str(value["database"])
        )
        self.summary.header = header
        self._sink.begin(header)

    def _begin_table(self, value: dict[str, Any]) -> None:
        name, columns = str(value["table"]), [str(column) for column in value["columns"]]
        if name in self.summary.rows:
            raise ArchiveError(f"the backup is damaged: table {name} is in it twice")
        self._places = [columns.index(column) for column in value["binary"]]
        self._table, self._width, self._count, self._hash = name, len(columns), 0, hashlib.sha256()
        self._sink.table(name, columns)

    def _row(self, line: bytes, values: list[Any]) -> None:
        if self._table is None or len(values) != self._width:
            raise ValueError
        self._hash.update(line + b"\n")
        self._count += 1
        for place in self._places:
            if values[place] is not None:
                values[place] = base64.b64decode(values[place], validate=True)
        self._sink.row(values)

    def _end_table(self, value: dict[str, Any]) -> None:
        assert self._table is not None
        if (value["rows"], value["sha256"]) != (self._count, self._hash.hexdigest()):
            raise ArchiveError(f"the backup is damaged: table {self._table} is not as it was written")
        counter = value["counter"]
        self._sink.end_table(None if counter is None else int(counter))
        self.summary.rows[self._table] = self._count
        self._table = None

    def _file(self, value: dict[str, Any]) -> None:
        name = str(value["file"])
        content = base64.b64decode(value["content"], validate=True)
        if hashlib.sha256(content).hexdigest() != value["sha256"]:
            raise ArchiveError(f"the backup is damaged: the file {name} is not as it was written")
        self.summary.files.append(name)
        self._sink.file(name, int(value["mode"]), content)
