"""A stay's history of readings, and its scores."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

import numpy as np
from fastapi import APIRouter, Query
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.clock import iso
from ward.errors import InvalidError, require_span
from ward.scoring.filter import MARKS, REASONS
from ward.signals import HOUR, INDEX, SIGNALS
from ward.store.chunks import History
from ward.store.devices import device_names
from ward.store.history import Bins, bin_history, read_history
from ward.web.access import VitalsReader
from ward.web.describe import API, answers
from ward.web.schemas.common import Duration, Time
from ward.web.schemas.stays import ScoreView, Vitals
from ward.web.service_protocol import Json
from ward.web.shared import StayId, Svc, own_stay, send
from ward.web.views import stay_view

MARK_WORDS: Final = np.array(MARKS)
REASON_WORDS: Final = np.array(REASONS)
MAX_BINS: Final = 100_000
DEFAULT_SPAN: Final = 24 * HOUR

router = APIRouter(prefix=f"{API}/stays", tags=["history"])


@router.get("/{stay}/vitals", summary="History of readings", responses=answers(Vitals, 404))
async def vitals(
    stay: StayId,
    service: Svc,
    who: VitalsReader,
    signal: Annotated[
        list[str] | None,
        Query(description="Only these: repeated, or separated by commas.", examples=[["hr", "spo2"]]),
    ] = None,
    start: Annotated[Time | None, Query(description="From this time on; default: 24 h before `end`.")] = None,
    end: Annotated[Time | None, Query(description="Up to, not including; default: now.")] = None,
    resolution: Annotated[
        Duration | None, Query(description="Bins of this width: min, median, max and count of what is valid.")
    ] = None,
) -> Response:
    """By default every reading of the asked time, also the questionable and the invalid, with the reason;
    `complete` is false where those of the last ten seconds could not be had. A reading is in it when it has
    its mark: after the lateness (`WARD_LATENESS_S`) and a tick.

    Times are by the device, corrected by its clock's offset. With `resolution`, bins begin at multiples
    of it since 1970 UTC, and those without a valid reading are left out; `doubted` are bins of what did not
    count.
    """
    found = await own_stay(service, who, stay)
    until = end if end is not None else service.clock.now() + 1
    since = start if start is not None else until - DEFAULT_SPAN
    check_span(since, until, resolution)
    wanted = signals_of(signal)

    def read() -> Response:
        complete = found.end is not None or service.write_history(found.id)
        with service.engine_db.connect() as connection:
            history = read_history(connection, found.id, wanted, since, until)
            names = device_names(connection) if resolution is None else {}
        return send(vitals_view(found.id, since, until, resolution, history, names, complete=complete))

    return await run_in_threadpool(read)


@router.get("/{stay}/score", summary="How ill the patient looks", responses=answers(ScoreView, 404))
async def score(stay: StayId, service: Svc, who: VitalsReader) -> Response:
    """NEWS2 with its parts, what is missing or stale and how old; risk with its interval, its age and what
    speaks for and against it, the weightiest first.
    """
    found = await own_stay(service, who, stay)
    view = stay_view(service.board, found)
    news2 = view["news2"]
    if news2 is not None:
        now = datetime.fromisoformat(view["time"])
        parts = {name: {**part, "age_s": _age(part, now)} for name, part in news2["parts"].items()}
        news2 = {**news2, "parts": parts}
    risk = await run_in_threadpool(service.risk, found.id)
    return send({"stay": found.id, "time": view["time"], "news2": news2, "risk": risk})


def check_span(since: int, until: int, resolution: int | None) -> None:
    """Raises InvalidError for none, and for more bins than anybody looks at."""
    require_span(since, until, "query.start")
    if resolution is not None and (until - since) / resolution > MAX_BINS:
        raise InvalidError(f"more than {MAX_BINS} bins; ask for a coarser one", field="query.resolution")


def vitals_view(
    stay: str,
    since: int,
    until: int,
    resolution: int | None,
    history: History,
    devices: dict[int, str],
    *,
    complete: bool,
) -> Json:
    """``schemas.stays.Vitals``: readings one by one with their devices, or in bins of ``resolution`` ms."""
    return {
        "stay": stay,
        "start": iso(since),
        "end": iso(until),
        "resolution_s": None if resolution is None else resolution / 1000,
        "complete": complete,
        "signals": _raw(history, devices) if resolution is None else _binned(history, resolution),
    }


def signals_of(asked: list[str] | None) -> list[int] | None:
    if asked is None:
        return None
    names = [name.strip() for text in asked for name in text.split(",")]
    unknown = [name for name in names if name not in INDEX]
    if unknown:
        raise InvalidError(f"unknown signal; allowed: {' '.join(INDEX)}", field="query.signal")
    return [INDEX[name] for name in names]


def _age(part: Json, now: datetime) -> float | None:
    time = part.get("time")
    return None if time is None else (now - datetime.fromisoformat(time)).total_seconds()


def _raw(history: History, devices: dict[int, str]) -> Json:
    named: dict[int, str | None] = {number: key.partition("/")[2] for number, key in devices.items()}
    shown: Json = {}
    for index in np.unique(history.signal):
        rows = history.take(history.signal == index)
        shown[SIGNALS[index].name] = {
            "time": _times(rows.time),
            "value": rows.value.tolist(),
            "quality": MARK_WORDS[np.minimum(rows.mark, len(MARKS) - 1)].tolist(),
            "reason": REASON_WORDS[np.minimum(rows.reason, len(REASON_WORDS) - 1)].tolist(),
            "device": [named.get(number) for number in rows.device.tolist()],
        }
    return shown


def _binned(history: History, resolution: int) -> Json:
    bins, doubted = bin_history(history, resolution), bin_history(history, resolution, doubted=True)
    shown: Json = {}
    for index in np.unique(history.signal):
        shown[SIGNALS[index].name] = {
            **_columns(bins, index, ("min", "median", "max", "count")),
            "doubted": _columns(doubted, index, ("min", "max", "count")),
        }
    return shown


def _columns(bins: Bins, signal: int, names: tuple[str, ...]) -> Json:
    rows = bins.signal == signal
    return {"time": _times(bins.time[rows]), **{name: getattr(bins, name)[rows].tolist() for name in names}}


def _times(ms: NDArray[Any]) -> list[str]:
    """RFC 3339, UTC, of a whole column at once."""
    return [text + "Z" for text in np.datetime_as_string(ms.astype("M8[ms]"), unit="ms").tolist()]
