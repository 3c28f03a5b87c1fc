"""More devices on the same broker, in a process of their own: ``python -m tests.faults.flood``.

Prints how many of their samples the broker acknowledged.
"""

from __future__ import annotations

import sys

from tests.faults.devices import Devices
from tests.faults.house import wait_until
from tests.faults.stream import Plan


def main() -> None:
    port, seed, first, last, seconds = map(int, sys.argv[1:])
    devices = Devices(Plan(seed, last, seconds), port, only=range(first, last))
    devices.start()
    devices.join()
    wait_until(lambda: not devices.unacknowledged(), 120, "the broker has acknowledged the flood")
    print(len(devices.acknowledged()))
    devices.close()


if __name__ == "__main__":
    main()
