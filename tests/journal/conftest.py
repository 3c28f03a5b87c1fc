"""A journal of each kind, fresh for each test, with a database beside it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from tests.cluster.nodes import Cluster, cluster_of, put_raw
from tests.databases import migrated, postgres_server, postgres_url, sqlite_engine, sqlite_url  # noqa: F401
from ward.ingest.jetstream import JetStreamJournal
from ward.ingest.journal import Journal, SqlJournal
from ward.store.tables import journal as table


@dataclass
class Logs:
    """Journals on one place. ``open`` is another service's, which takes it over."""

    engine: Engine
    nats: Cluster | None = None
    stream: str = field(default_factory=lambda: f"test-{uuid.uuid4().hex}")
    opened: list[Journal] = field(default_factory=list)

    def open(self) -> Journal:
        made: Journal = SqlJournal(self.engine)
        if self.nats:
            made = JetStreamJournal(self.engine, ",".join(self.nats.urls), self.stream)
        self.opened.append(made)
        return made

    def put_junk(self, payload: bytes) -> None:
        """A batch that nobody can read, behind what is there."""
        if self.nats:
            put_raw(self.nats, f"{self.stream}.batches", payload)
        else:
            with self.engine.begin() as tx:
                tx.execute(insert(table).values(written=0, payload=payload))


@pytest.fixture(scope="session")
def nats() -> Iterator[Cluster]:
    """One nats-server with JetStream."""
    with cluster_of(1) as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgresql", "jetstream"])
def logs(request: pytest.FixtureRequest, sqlite_url: str) -> Iterator[Logs]:  # noqa: F811
    kind = request.param
    url: Any = request.getfixturevalue("postgres_url") if kind == "postgresql" else sqlite_url
    with migrated(url) as engine:
        made = Logs(engine, request.getfixturevalue("nats") if kind == "jetstream" else None)
        yield made
        for journal in made.opened:
            journal.close()


@pytest.fixture
def log(logs: Logs) -> Journal:
    return logs.open()
