"""Bedside monitors of a browser test: devices that publish while it runs."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Self

from tests.brokers import client_at

Readings = Mapping[str, float]


class Monitors(threading.Thread):
    """Sends ``values`` to the broker at ``port``, a sample each ``every_s``, as long as it is entered.

    ``values``: readings by device (``6A/mon-1``), which may be changed at any time; or what makes them of the
    number of the sample.
    """

    def __init__(
        self,
        port: int,
        values: Mapping[str, Readings] | Callable[[int], Mapping[str, Readings]],
        every_s: float = 0.5,
    ) -> None:
        super().__init__(daemon=True)
        self.values = values
        self._port, self._every_s = port, every_s
        self._over = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join(5)

    def run(self) -> None:
        with client_at(self._port) as device:
            seq = 0
            while not self._over.wait(self._every_s):
                time = datetime.now(UTC).isoformat(timespec="milliseconds")
                values = self.values(seq) if callable(self.values) else self.values
                for place, readings in values.items():
                    sample = json.dumps({"seq": seq, "time": time, "readings": readings})
                    device.publish(f"ward/v1/{place}/vitals", sample, 1)
                seq += 1
