"""The journal in JetStream where servers, networks and services fail."""

import asyncio

import nats
import pytest
from nats.js.api import DiscardPolicy, StreamConfig

from tests.cluster.nodes import cluster_of
from tests.databases import migrated
from tests.journal.conftest import Logs
from ward.errors import ConflictError, FencedError
from ward.ingest.jetstream import JetStreamJournal
from ward.ingest.journal import JournalAwayError
from ward.ingest.records import RulesChanged
from ward.store.credentials import load_heard


def marks(*times):
    return [RulesChanged(time) for time in times]


def entries(log):
    return [entry for _, batch in log.read(0) for entry in batch or []]


@pytest.fixture
def logs(nats, sqlite_engine):
    made = Logs(sqlite_engine, nats)
    yield made
    for journal in made.opened:
        journal.close()


def test_who_was_replaced_writes_nothing_any_more(logs):
    first = logs.open()
    first.append(marks(1))
    second = logs.open()
    second.append(marks(2))
    for _ in range(2):  # nor later
        with pytest.raises(FencedError):
            first.append(marks(3))
    second.append(marks(4))
    assert entries(second) == marks(1, 2, 4)


def test_who_is_replaced_by_a_mark_alone_writes_nothing_any_more(logs):
    first, second = logs.open(), logs.open()
    with pytest.raises(FencedError):
        first.append(marks(1))
    assert entries(second) == []


def lose_the_answer(log, monkeypatch):
    """The next message is stored, and nobody is told."""
    real = log._sent

    async def sent(payload, headers):
        monkeypatch.setattr(log, "_sent", real)
        await real(payload, headers)
        raise TimeoutError

    monkeypatch.setattr(log, "_sent", sent)


def test_a_batch_whose_answer_was_lost_is_there_once_when_it_comes_again(logs, monkeypatch):
    log = logs.open()
    lose_the_answer(log, monkeypatch)
    with pytest.raises(JournalAwayError):
        log.append(marks(1))
    position = log.append(marks(1))
    assert log.read(position - 1) == [(position, marks(1))]
    assert log.append(marks(2)) == position + 1
    assert entries(log) == marks(1, 2)


def test_another_batch_after_a_lost_answer_comes_behind_it(logs, monkeypatch):
    log = logs.open()
    lose_the_answer(log, monkeypatch)
    with pytest.raises(JournalAwayError):
        log.append(marks(1, 2))
    log.append(marks(1))
    assert entries(log) == marks(1, 2, 1)


def test_what_is_beside_a_batch_may_fail_and_the_batch_is_there_once(logs, monkeypatch):
    log = logs.open()
    with monkeypatch.context() as patched:
        patched.setattr("ward.ingest.jetstream.add_heard", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            log.append(marks(1), heard=[("nonce", "vitals", 1)])
    position = log.append(marks(1), heard=[("nonce", "vitals", 1)])
    assert log.append(marks(2)) == position + 1
    assert entries(log) == marks(1, 2)
    with logs.engine.connect() as connection:
        assert load_heard(connection) == {position: [("nonce", "vitals", 1)]}


def test_nothing_is_taken_while_the_server_is_away_and_all_of_it_afterwards(tmp_path):
    with cluster_of(1) as alone, migrated(f"sqlite:///{tmp_path / 'ward.db'}") as engine:
        log = JetStreamJournal(engine, alone.nodes[0].url, "ward")
        log.answer_s = 0.5
        try:
            first = log.append(marks(1))
            alone.nodes[0].kill()
            with pytest.raises(JournalAwayError):
                log.append(marks(2))
            alone.nodes[0].start()
            alone.until_ready()
            log.answer_s = 10.0
            assert log.append(marks(2)) == first + 1
            assert entries(log) == marks(1, 2)
        finally:
            log.close()


def made(cluster, **config):
    async def make():
        client = await nats.connect(cluster.urls)
        await client.jetstream().add_stream(StreamConfig(**config))
        await client.close()

    asyncio.run(make())


@pytest.mark.parametrize(
    "forgets", [{"max_age": 60.0}, {"discard": DiscardPolicy.OLD}, {"storage": "memory"}]
)
def test_a_stream_that_forgets_is_refused(logs, forgets):
    config = {"subjects": [f"{logs.stream}.batches"], "discard": DiscardPolicy.NEW}
    made(logs.nats, name=logs.stream, **config | forgets)
    with pytest.raises(ConflictError, match=f"would forget.*{next(iter(forgets))}"):
        logs.open()


def test_a_full_stream_takes_nothing_and_forgets_nothing(logs):
    made(
        logs.nats,
        name=logs.stream,
        subjects=[f"{logs.stream}.batches"],
        discard=DiscardPolicy.NEW,
        max_bytes=4_000,
    )
    log = logs.open()
    taken = []

    def fill():
        for n in range(100):
            log.append(marks(n))
            taken.append(n)

    with pytest.raises(JournalAwayError):
        fill()
    assert entries(log) == marks(*taken)
    log.trim(log.last() - 1)
    assert log.append(marks(1000)) == log.last()
