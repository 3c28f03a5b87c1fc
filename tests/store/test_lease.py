"""Whose the database is: one at a time, however the one before ended, and nothing is written by any other."""

import threading
import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.brokers import until
from ward.config import Settings, SettingsError
from ward.errors import FencedError
from ward.partitions import Partition
from ward.server import owning
from ward.store.database import open_database
from ward.store.lease import FIRST_S, LEASE_S, OWNER, Lease
from ward.store.meta import get_meta, put_meta
from ward.store.serving import AlreadyServingError, is_serving, serving

SLOW_S = 20.0
"""What a busy machine may add; a server that is waited for in vain takes minutes."""


@pytest.fixture
def service(postgres_engine):
    """Makes services: a lease, and an engine that it fences once it is claimed."""
    made = []

    class Service:
        def __init__(self):
            self.lost = []
            self.lease = Lease(postgres_engine, self.lost.append)
            self.engine = open_database(postgres_engine.url, OWNER)
            made.append(self)

        def own(self):
            self.lease.take(time.sleep)
            self.lease.claim()
            self.lease.fence(self.engine)
            return self

        def write(self, value):
            with self.engine.begin() as tx:
                put_meta(tx, "written", value)

    yield Service
    for each in made:
        each.lease.close()
        each.engine.dispose()


def written(engine):
    with engine.connect() as connection:
        return get_meta(connection, "written")


def test_one_stands_by_until_the_other_lets_go(service, postgres_engine):
    first, second = service().own(), service()
    first.lease.keep()
    taken = threading.Thread(target=second.own)
    taken.start()
    taken.join(2 * LEASE_S)
    assert taken.is_alive()
    assert is_serving(postgres_engine)
    first.lease.close()
    taken.join(5)
    assert not taken.is_alive()
    assert second.lease.epoch == first.lease.epoch + 1


def test_when_the_server_was_away_its_owner_comes_before_who_stands_by(service, postgres_engine):
    first, second = service().own(), service()
    first.lease.keep()
    left, lost = [], []

    def wait(seconds):
        if seconds == FIRST_S:
            left.append(seconds)
            until(lambda: first.lease._is_held and first.lease._session is not lost[-1], SLOW_S)
        time.sleep(seconds)

    taken = threading.Thread(target=second.lease.take, args=(wait,))
    taken.start()
    for times in range(1, 3):
        until(lambda: first.lease._is_held and second.lease._session is not None, SLOW_S)
        lost.append(first.lease._session)
        with postgres_engine.begin() as tx:
            tx.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name"),
                {"name": "ward-lease"},
            )
        until(lambda times=times: len(left) == times, SLOW_S)
    assert not first.lost
    first.write("still")
    first.lease.close()
    taken.join(SLOW_S)
    assert not taken.is_alive()


def test_a_service_without_standby_is_not_pushed_aside_nor_pushes(service, postgres_engine):
    first = service().own()
    first.lease.keep()
    with pytest.raises(AlreadyServingError), serving(postgres_engine, 0.0):
        pass
    first.lease.close()
    with serving(postgres_engine, 5.0):
        assert not service().lease._try()


def test_who_says_nothing_for_a_while_is_replaced_and_writes_nothing_any_more(service, postgres_engine):
    frozen, other = service().own(), service()
    frozen.write("before")
    begun = time.monotonic()
    other.own()
    assert time.monotonic() - begun < LEASE_S + SLOW_S
    for _ in range(2):
        with pytest.raises((FencedError, DBAPIError)):
            frozen.write("after")
    with pytest.raises(FencedError):
        frozen.write("after")
    other.write("other")
    assert written(postgres_engine) == "other"


def test_what_was_half_written_when_it_froze_keeps_nobody_waiting_and_is_gone(service, postgres_engine):
    frozen, other = service().own(), service()
    half = frozen.engine.connect()
    half.execute(text("SELECT 1 FROM meta WHERE key = 'epoch' FOR SHARE"))
    put_meta(half, "written", "half")
    begun = time.monotonic()
    other.own()
    assert time.monotonic() - begun < LEASE_S + SLOW_S
    with pytest.raises((FencedError, DBAPIError)):
        half.commit()
    half.invalidate()
    half.close()
    assert written(postgres_engine) is None


def test_who_wakes_is_told(service):
    first, second = service().own(), service().own
    time.sleep(0)
    second()
    first.lease.keep()
    until(lambda: first.lost)


def test_a_session_that_the_server_ends_is_found_again(service, postgres_engine):
    own = service().own()
    own.lease.keep()
    with postgres_engine.connect() as connection:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ward-lease'"
        assert connection.execute(text(query)).all()
    until(lambda: is_serving(postgres_engine))
    own.write("still")
    assert written(postgres_engine) == "still"
    assert not own.lost


def test_standing_by_needs_a_database_that_others_reach(tmp_path):
    with pytest.raises(SettingsError, match="PostgreSQL"), owning(Settings(data_dir=tmp_path, standby=True)):
        pass


def test_partitions_are_owned_apart_and_never_beside_the_whole(postgres_engine):
    one, other, again = (Lease(postgres_engine, lambda _: None, Partition(number, 2)) for number in (0, 1, 1))
    last, whole = (
        Lease(postgres_engine, lambda _: None, Partition(0, 2)),
        Lease(postgres_engine, lambda _: None),
    )
    try:
        one.take(time.sleep)
        other.take(time.sleep)
        assert (one.claim(), other.claim()) == (1, 1)
        assert not again._try()
        assert not whole._try()
        other.close()
        assert not whole._try()
        again.take(time.sleep)
        assert again.claim() == 2
        assert one.claim() == 1
        one.close()
        again.close()
        whole.take(time.sleep)
        assert not last._try()
    finally:
        for lease in (one, other, again, whole, last):
            lease.close()
