"""An owner whose cable to PostgreSQL is pulled: another takes over, and it writes nothing when it is back."""

from __future__ import annotations

import subprocess
import time

import pytest

from tests.faults.cable import cable
from tests.faults.house import MissingPartError
from ward.store.database import migrate, open_database
from ward.store.lease import LEASE_S, OWNER, Lease
from ward.store.meta import get_meta, put_meta

OWNER_THERE = """
import sys, time
from sqlalchemy.exc import DBAPIError
from ward.errors import FencedError
from ward.store.database import open_database
from ward.store.lease import OWNER, Lease
from ward.store.meta import put_meta

engine = open_database(sys.argv[1], OWNER)
lost = []
lease = Lease(engine, lost.append)
lease.take(time.sleep)
lease.claim()
lease.fence(engine)
lease.keep()
number = 0
while not lost:
    number += 1
    try:
        with engine.begin() as tx:
            put_meta(tx, "written", number)
    except FencedError:
        print("fenced", flush=True)
    except DBAPIError:
        pass
    else:
        print(number, flush=True)
    time.sleep(0.05)
print("lost", flush=True)
"""


def test_who_is_cut_off_stops_writing_and_is_replaced():
    try:
        with cable() as made:
            here = open_database(made.here, OWNER)
            migrate(here)
            command = [*made.there, "-c", OWNER_THERE, made.url]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
                try:
                    assert owner.stdout is not None
                    assert owner.stdout.readline() == "1\n"
                    other = Lease(here, lambda _: None)
                    made.pull()
                    begun = time.monotonic()
                    other.take(time.sleep)
                    other.claim()
                    assert time.monotonic() - begun < 3 * LEASE_S
                    other.fence(here)
                    other.keep()
                    with here.begin() as tx:
                        put_meta(tx, "written", "other")
                    made.plug()
                    said = owner.stdout.read().split()
                    assert said[-1] == "lost"
                    with here.connect() as connection:
                        assert get_meta(connection, "written") == "other"
                    other.close()
                finally:
                    owner.kill()
                    here.dispose()
    except MissingPartError as missing:
        pytest.skip(str(missing))
