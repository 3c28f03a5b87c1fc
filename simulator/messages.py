"""The whole ward's messages in the order in which they reach the broker; no broker needed."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import count
from typing import Final, Protocol

from simulator.recording import RecordingStream
from simulator.transport import DeviceStream, Message, Place
from simulator.ward_plan import Plan, recorder_name
from ward.signals import MINUTE

BLOCK: Final = 2 * MINUTE
"""Time is generated in blocks of this length, all samples of a device at once."""


class Stream(Protocol):
    def block(self, lo: int, hi: int) -> list[Message]: ...


def messages(
    plan: Plan, start_ms: int, duration_ms: int | None = None, batch_ms: int = 1_000
) -> Iterator[Message]:
    """Every message of the ward, ordered by ``at``, from ``start_ms`` (since 1970) on.

    ``duration_ms``: None goes on for ever. ``batch_ms``: a message holds the samples of so much time
    (a fast replay sends larger batches; the samples are the same). The same plan, start and batch give
    the same bytes.
    """
    streams = _streams(plan, start_ms, batch_ms)
    end = None if duration_ms is None else start_ms + duration_ms
    order = count()
    waiting: list[tuple[int, int, Message]] = []
    lo = 0
    while end is None or start_ms + lo < end:
        hi = lo + max(BLOCK, batch_ms)
        for stream in streams:
            for message in stream.block(lo, hi):
                heapq.heappush(waiting, (message.at, next(order), message))
        ready = start_ms + hi if end is None else min(start_ms + hi, end)
        while waiting and waiting[0][0] < ready:
            yield heapq.heappop(waiting)[2]
        lo = hi


def _streams(plan: Plan, start_ms: int, batch_ms: int) -> list[Stream]:
    streams: list[Stream] = []
    for bed in plan.beds:
        if bed.recording is not None:
            place = Place(bed.ward, recorder_name(bed.bed), len(streams), start_ms)
            streams.append(RecordingStream(bed.recording, place, batch_ms))
            continue
        for device in bed.devices:
            place = Place(bed.ward, device.name, len(streams), start_ms)
            streams.append(DeviceStream(device, bed.patient, place, batch_ms))
    return streams
