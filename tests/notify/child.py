"""A sender in a process of its own, on a clock that runs faster: ``child DATABASE HOOK START``. It ends with
its standard input."""

from __future__ import annotations

import random
import sys
import time

from tests.notify.office import START
from ward.notify.channels import Configured
from ward.notify.sender import Sender
from ward.notify.webhook import Webhook
from ward.store.database import open_database

SPEED = 30
"""A lease of 30 s lasts a second."""


def clock(begun: int) -> int:
    """ms since the test began, on the clock of all its processes; ``begun`` from the machine's steady one."""
    return START + (time.monotonic_ns() // 1_000_000 - begun) * SPEED


def main() -> None:
    database, url, begun = sys.argv[1], sys.argv[2], int(sys.argv[3])
    hook = Configured("pager", "webhook", Webhook(url, [b"k" * 32]), 3_600_000, 4, "bed")
    sender = Sender(
        open_database(database),
        {"pager": hook},
        lambda sending, error: None,
        now=lambda: clock(begun),
        chance=random.Random(1),
    )
    sender.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    sender.stop()


if __name__ == "__main__":
    main()
