"""``ward work``: takes parts of the trials that somebody waits for at a web process."""

from __future__ import annotations

import contextlib
import os
import time

import structlog
from sqlalchemy.exc import OperationalError

from ward.cluster.usable import still_usable
from ward.config import Settings, SettingsError
from ward.live.faults import why
from ward.server import end_on_term, set_up_log
from ward.store.database import migrate, open_database
from ward.store.partition import settle_partitions
from ward.trial.shared import LOOK_S, name_of_this, work_once
from ward.trial.worker import NICE

AGAIN_S = 5.0
"""The database is away: it is looked for again after so long."""

log = structlog.get_logger(__name__)


def run_work(settings: Settings) -> None:
    """Run until a signal ends it: what it had another one takes. Raises what makes a start impossible."""
    if settings.partitions < 2:
        raise SettingsError("partitions: `ward work` is for a cluster (WARD_PARTITIONS)")
    set_up_log(settings.log_level)
    end_on_term()
    os.nice(NICE)
    db = open_database(settings.database, "ward-work")
    with contextlib.suppress(KeyboardInterrupt):
        migrate(db)
        with db.begin() as tx:
            settle_partitions(tx, settings.partitions)
        by = name_of_this()
        log.info("working on trials", by=by)
        while True:
            try:
                with db.connect() as connection:
                    still_usable(connection)
                if not work_once(db, by):
                    time.sleep(LOOK_S)
            except OperationalError as error:
                log.warning("the database does not answer", error=why(error))
                time.sleep(AGAIN_S)
    db.dispose()
