"""The process of one trial: a job on standard input, progress and the result on standard output.

A trial keeps a processor busy for seconds. In the service's own process it would take turns with the core
for the interpreter, and its connections with the core's for the database; here it has the machine's leisure
only (nice 10), and whoever stops waiting for it ends it by ending the process.
"""

from __future__ import annotations

import os
import struct
import sys
from typing import Any, BinaryIO, Final

import msgspec

from ward.scoring.rules import Rule

NICE: Final = 10
FRAME: Final = struct.Struct(">Q")
MOST_PROCESSES: Final = 4
"""A trial of the history is worked on by so many at the most, and by no more than there are cores."""


class Job(msgspec.Struct):
    """What is to be done: a trial, or with ``look`` in the request a look at a recording. rules: the pack's;
    what was changed since is read from the database. risk: the setting that says which model (see
    ``ward.models.find_risk``)."""

    database: str
    pack: str
    rules: list[Rule]
    request: dict[str, Any]
    risk: str = "none"
    is_shared: bool = False
    """Processes of ``ward work`` may take parts of it."""
    most: int = 25_000_000
    """Readings."""


def main() -> None:
    out = _only_frames()
    os.nice(NICE)
    job = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Job)
    try:
        _send(out, {"result": _work(job, out)})
    except BrokenPipeError:  # nobody waits any more
        os._exit(0)


def _only_frames() -> BinaryIO:
    """What anything else prints goes to standard error."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return out


def _work(job: Job, out: BinaryIO) -> dict[str, Any]:
    from ward.alerts.overrides import Override, Rulebook
    from ward.alerts.packs import Pack
    from ward.errors import WardError
    from ward.models import find_risk
    from ward.store.database import open_database
    from ward.store.rules import current_rules
    from ward.trial.look import look
    from ward.trial.recorded import recorded_trial
    from ward.trial.stored import stored_trial

    def tell(part: float, what: str) -> None:
        _send(out, {"progress": {"done": round(part, 3), "what": what}})

    database = open_database(job.database)
    try:
        if "look" in job.request:
            return look(job.request["look"])
        with database.connect() as connection:
            versions = current_rules(connection)
        overrides = [
            Override(v.rule_id, v.scope, v.version, v.definition, v.by, v.at, v.retired, v.follows, v.until)
            for v in versions
        ]
        rulebook = Rulebook(Pack(job.pack, "", "", tuple(job.rules)), overrides)
        if job.request.get("recording"):
            return recorded_trial(rulebook, job.request, tell, lambda: find_risk(job.risk))
        many = min(len(os.sched_getaffinity(0)), MOST_PROCESSES)
        return stored_trial(
            database,
            rulebook,
            job.request,
            tell,
            lambda: find_risk(job.risk),
            many,
            is_shared=job.is_shared,
            most=job.most,
        )
    except WardError as error:
        told = {name: getattr(error, name) for name in ("type", "title", "detail", "extra")}
        _send(out, {"refused": told})
        raise SystemExit(0) from None
    finally:
        database.dispose()


def _send(out: BinaryIO, message: dict[str, Any]) -> None:
    payload = msgspec.json.encode(message)
    out.write(FRAME.pack(len(payload)) + payload)
    out.flush()


if __name__ == "__main__":
    main()
