"""Looks at every ward once a day, keeps what was found, and tells it: in log, metrics, one low alert."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import structlog
from sqlalchemy import Engine as Database

from ward.alerts.technical import SERVICE
from ward.alerts.watch import Standing
from ward.live import metrics
from ward.partitions import WHOLE, Partition
from ward.reports import read
from ward.reports.drift import Verdict, sentence
from ward.store.meta import get_meta, put_meta
from ward.store.tallies import DAY, Baseline, current_baselines, first_days, put_baseline

KEPT: Final = "drift"
"""Where the database keeps since when it is told, so that a restart tells nothing anew."""
RULE: Final = "drift"

log = structlog.get_logger(__name__)


class DriftWatch:
    """``look`` belongs to one thread; ``standing`` may be asked from any."""

    def __init__(self, db: Database, reference_days: int, partition: Partition = WHOLE) -> None:
        self._db, self._reference_days, self._partition = db, reference_days, partition
        self._key = KEPT + partition.mark
        self._seen: tuple[int, Mapping[str, Baseline]] | None = None
        self._told: dict[str, list[str]] = {}
        self._since: int | None = None

    def load(self) -> None:
        """What was told before the start."""
        with self._db.connect() as connection:
            kept: dict[str, Any] = get_meta(connection, self._key) or {}
        self._since, self._told = kept.get("since"), dict(kept.get("told", {}))

    def standing(self) -> list[Standing]:
        """The condition that the core tells as long as it stands: one, however many wards and quantities."""
        since = self._since
        return [] if since is None else [Standing(SERVICE, RULE, "", since)]

    def look(self, now: int) -> None:
        """Compare, if a day has passed since or another reference was chosen (``now``: ms of the ward)."""
        with self._db.connect() as connection:
            baselines = current_baselines(connection)
            if self._seen == (now // DAY, baselines):
                return
            wards = None if self._partition.is_whole else self._partition.among(first_days(connection))
            found = read.drift(connection, now, self._reference_days, wards)
        new = [one for ward, (one, _) in found.items() if one is not None and ward not in baselines]
        told = {
            ward: sorted(
                {sentence(one) for one in verdict.findings if one.key in verdict.lasting and one.differs}
            )
            for ward, (_, verdict) in found.items()
            if verdict.lasting
        }
        since = (self._since or now) if told else None
        with self._db.begin() as tx:
            for baseline in new:
                put_baseline(tx, baseline)
            put_meta(tx, self._key, {"since": since, "told": told})
        for ward, words in told.items():
            if words != self._told.get(ward):
                log.warning("a ward differs from its reference", ward=ward, what=words)
        for ward in self._told.keys() - told.keys():
            log.info("a ward is again as in its reference", ward=ward)
        self._told, self._since = told, since
        self._seen = now // DAY, baselines | {one.ward: one for one in new}
        _measure({ward: verdict for ward, (_, verdict) in found.items()})


def _measure(found: Mapping[str, Verdict]) -> None:
    metrics.DRIFT.clear()
    metrics.DRIFT_LASTING.clear()
    for ward, verdict in found.items():
        metrics.DRIFT_LASTING.labels(ward).set(len(verdict.lasting))
        for one in verdict.findings:
            labels = (ward, one.key.what, one.key.aspect, str(one.days))
            metrics.DRIFT.labels(*labels).set(min(one.chance, one.size))
