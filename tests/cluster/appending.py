"""What making a batch durable takes: `python -m tests.cluster.appending [--rounds 200] [--messages 100]`.

The same batches to each kind of journal in turn: SQLite, PostgreSQL, a stream on one server and on three.
Says the median and the 95th percentile of the time until a batch is durable, and the processor time it took.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.cluster.nodes import cluster_of
from tests.databases import migrated
from tests.faults.house import Postgres
from ward.ingest.jetstream import JetStreamJournal
from ward.ingest.journal import Journal, SqlJournal
from ward.ingest.packed import encode
from ward.ingest.records import Sample, Value


def batch(messages: int, number: int) -> list[Sample]:
    values = [Value(signal, 80.0 + number) for signal in range(5)]
    return [
        Sample("w", f"mon-{n}", 1_000 * number + n, 1_000 * number, number, "s", values)
        for n in range(messages)
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--messages", type=int, default=100)
    parser.add_argument("--sync-always", action="store_true")
    args = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ward-appending-")))
        sqlite = stack.enter_context(migrated(f"sqlite:///{folder / 'ward.db'}"))
        server = Postgres(folder / "postgres")
        server.start()
        stack.callback(server.stop)
        postgres = stack.enter_context(migrated(server.url))
        one = stack.enter_context(cluster_of(1, sync_always=args.sync_always))
        three = stack.enter_context(cluster_of(3, sync_always=args.sync_always))
        journals: dict[str, Journal] = {
            "SQLite": SqlJournal(sqlite),
            "PostgreSQL": SqlJournal(postgres),
            "JetStream, 1 server": JetStreamJournal(sqlite, ",".join(one.urls), "ward"),
            "JetStream, 3 servers": JetStreamJournal(sqlite, ",".join(three.urls), "ward"),
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in journals}
        for number in range(args.rounds):
            entries = batch(args.messages, number)
            for name, journal in journals.items():
                wall, cpu = time.perf_counter(), time.process_time()
                journal.append(entries)
                taken[name].append((time.perf_counter() - wall, time.process_time() - cpu))
        print(f"batches of {args.messages} messages, 5 readings each, {len(encode(entries))} bytes")
        for name, pairs in taken.items():
            walls, cpus = (np.array(column) * 1000 for column in zip(*pairs, strict=True))
            median, most = np.percentile(walls, [50, 95])
            print(f"{name:<22} {median:6.1f} ms, 95 % {most:6.1f} ms, processor {np.median(cpus):5.2f} ms")
            journals[name].close()


if __name__ == "__main__":
    main()
