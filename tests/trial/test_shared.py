"""A trial over wards of two partitions that several processes share, one of which is killed with a part."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys

import pytest
from sqlalchemy import func, select, update

from tests.brokers import until
from tests.databases import postgres_engine, postgres_server, postgres_url  # noqa: F401
from tests.trial import made
from ward.alerts.overrides import Rulebook
from ward.alerts.packs import Pack
from ward.live.history import as_history
from ward.partitions import Partition
from ward.store.history import write_chunks
from ward.store.partition import settle_partitions
from ward.store.stays import admit
from ward.store.tables import trial_parts
from ward.store.trial_parts import finish, forget, keep, post, standing, take, want
from ward.trial.stored import stored_trial

STAYS = 8
WARDS = [next(w for w in ("6A", "6B", "7A", "7B") if Partition(n, 2).has(w)) for n in (0, 1)]
PATIENCE_S = 120
WHO_ASKS = """
import json, sys
from tests.trial.test_shared import asked
from ward.store.database import open_database
from ward.trial import sweep

sweep.SHARED = 1_000
print(json.dumps(asked(open_database(sys.argv[1]), processes=int(sys.argv[2]), is_shared=True)))
"""
WHO_HANGS = """
import sys, time
from ward.store.database import open_database
from ward.trial import shared

shared.part_of = lambda *given: time.sleep(1_000)
while not shared.work_once(open_database(sys.argv[1]), "hangs"):
    time.sleep(0.05)
"""


@pytest.fixture
def ward(postgres_engine):  # noqa: F811
    with postgres_engine.begin() as tx:
        settle_partitions(tx, 2)
        for n in range(STAYS):
            admit(tx, stay=f"s{n}", patient_ref=f"p{n}", ward=WARDS[n % 2], bed=str(n), at=made.START)
            write_chunks(tx, [(f"s{n}", None, as_history(made.wandering(n, 400)))])
    return postgres_engine


def asked(db, **how):
    request = {
        "grid": {"rule": "spo2-below-88", "thresholds": [85, 88, 91], "for": ["1m", "10m"]},
        "start": made.START,
        "end": made.START + 30 * 86_400_000,
    }
    rulebook = Rulebook(Pack("made", "", "", tuple(made.RULES)))
    return json.loads(json.dumps(stored_trial(db, rulebook, request, lambda part, what: None, **how)))


@contextlib.contextmanager
def running(*command, **env):
    process = subprocess.Popen(
        [sys.executable, *command], env={**os.environ, **env}, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def parts(db, *where):
    with db.connect() as connection:
        return connection.scalar(select(func.count()).select_from(trial_parts).where(*where))


@pytest.mark.timeout(600)
def test_shared_it_is_what_one_process_says_also_where_one_is_killed(ward):
    alone = asked(ward)
    url = ward.url.render_as_string(hide_password=False)
    held = trial_parts.c.lease_by == "hangs"
    with running("-c", WHO_HANGS, url) as hangs, running("-c", WHO_ASKS, url, "0") as asks:
        until(lambda: parts(ward, held) == 1, PATIENCE_S)
        total = parts(ward)
        hangs.send_signal(signal.SIGKILL)
        hangs.wait()
        with running("-m", "ward", "work", WARD_PARTITIONS="2", WARD_DATABASE_URL=url):
            until(lambda: parts(ward, trial_parts.c.found.is_not(None)) == total - 1, PATIENCE_S)
            assert asks.poll() is None  # one is still whose process is dead
            with ward.begin() as tx:  # its 30 s are over
                tx.execute(update(trial_parts).where(held).values(lease_until=0))
            said, _ = asks.communicate(timeout=PATIENCE_S)
    assert total > 2
    assert alone["stays"] == STAYS
    assert all(setting["all_alerts_per_day"] > 0 for setting in alone["settings"])
    assert json.loads(said) == alone
    assert parts(ward) == 0


@pytest.mark.timeout(600)
def test_without_any_worker_copies_of_who_asks_do_it(ward):
    url = ward.url.render_as_string(hide_password=False)
    with running("-c", WHO_ASKS, url, "2") as asks:
        said, _ = asks.communicate(timeout=PATIENCE_S)
    assert json.loads(said) == asked(ward)


@pytest.fixture
def posted(postgres_engine):  # noqa: F811
    with postgres_engine.begin() as tx:
        post(tx, "t", [b"0", b"1"])
    return postgres_engine


def test_each_part_is_taken_once(posted):
    with posted.begin() as first, posted.begin() as second:
        taken = [take(first, "a"), take(second, "b")]
        assert take(second, "c") is None
    assert [(one.number, one.asked) for one in taken] == [(0, b"0"), (1, b"1")]
    with posted.begin() as tx:
        assert take(tx, "c") is None
        assert keep(tx, taken[0], 0.5)
        finish(tx, taken[1], b"found")
        assert [(one.done, one.is_found) for one in standing(tx, "t")] == [(0.5, False), (1.0, True)]


def test_who_lost_its_part_is_told_and_cannot_finish_it(posted):
    with posted.begin() as tx:
        lost = take(tx, "a")
        tx.execute(update(trial_parts).values(lease_until=0))
        assert take(tx, "b").number == lost.number
        assert not keep(tx, lost, 0.5)
        finish(tx, lost, b"wrong")
        assert not standing(tx, "t")[0].is_found


def test_what_nobody_waits_for_is_not_done(posted):
    with posted.begin() as tx:
        taken = take(tx, "a")
        tx.execute(update(trial_parts).values(wanted_until=0))
        assert not keep(tx, taken, 0.5)
        assert take(tx, "b") is None
        want(tx, "t")
        assert keep(tx, taken, 0.5)
        assert take(tx, "b").number == 1
        tx.execute(update(trial_parts).values(wanted_until=0))
        post(tx, "u", [b"2"])
        assert standing(tx, "t") == []
        forget(tx, "u")
        assert standing(tx, "u") == []
