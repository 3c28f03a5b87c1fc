"""Two senders on one database, killed in the middle: all gets through, and never from both at once."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine

from tests.brokers import until
from tests.notify.child import clock
from tests.notify.office import Post, delivery, put
from ward.store.deliveries import LEASE_MS

NUMBER = 60
KILLS = 2
RUNNING_MS = 60
"""Real time that the receiver takes over one, so that a kill finds some on their way."""


@contextlib.contextmanager
def sender(database: str, url: str, begun: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.notify.child", database, url, str(begun)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    try:
        yield child
    finally:
        child.kill()
        child.wait(10)
        child.stdout.close()
        child.stdin.close()


def test_killed_senders_lose_nothing_and_never_send_at_once(engine: Engine):
    url = engine.url.render_as_string(hide_password=False)
    chance, begun = random.Random(7), time.monotonic_ns() // 1_000_000
    heard: dict[str, list[tuple[int, int]]] = defaultdict(list)

    def slowly(handler: Any) -> None:
        came = clock(begun)
        time.sleep(RUNNING_MS / 1000)  # the receiver's own slowness, which is what is tested
        heard[handler.headers["webhook-id"]].append((came, clock(begun)))
        with contextlib.suppress(OSError):  # whoever asked was killed
            handler.send_response(204)
            handler.end_headers()

    put(engine, *[delivery(f"k{n}", alert=f"a{n}", created=clock(begun), due=0) for n in range(NUMBER)])
    with Post().open() as post, contextlib.ExitStack() as running:
        post.answers = [slowly] * (4 * NUMBER)
        children = [running.enter_context(sender(url, post.url, begun)) for _ in range(2)]
        for kill in range(KILLS):
            until(lambda kill=kill: len(heard) >= (kill + 1) * NUMBER // 4)
            victim = children.pop(chance.randrange(len(children)))
            victim.kill()
            victim.wait(10)
            children.append(running.enter_context(sender(url, post.url, begun)))
        until(lambda: len(heard) == NUMBER and not waiting(engine), 30)
    again = [times for times in heard.values() if len(times) > 1]
    assert len(again) <= KILLS * 4  # what the killed ones held
    for times in again:
        for (first, _), (second, _) in zip(sorted(times), sorted(times)[1:], strict=False):
            assert second - first >= LEASE_MS // 2


def waiting(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(
            connection.exec_driver_sql("SELECT count(*) FROM deliveries WHERE state = 'waiting'").scalar_one()
        )
