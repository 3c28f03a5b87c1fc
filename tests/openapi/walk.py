"""schemathesis against ``ward serve`` with its own database and broker."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.brokers import publish, until
from tests.e2e.served import Served, served
from tests.ports import free_port
from ward.clock import iso
from ward.ingest.broker import EmbeddedBroker

CHECKS: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "use_after_free",
    "ensure_resource_availability",
    "ignored_auth",
)
"""Not ``positive_data_acceptance``: that a bed is free or a cursor is of this list, no schema can say."""
ENDLESS: Final = "/api/v1/events"
"""The stream never ends; tests/web/test_events.py is about it."""
ROLES: Final = ("admin", "clinician", "nurse", "integration")
PHASES: Final = "examples,coverage,fuzzing,stateful"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one role's walk came to; ``report`` is schemathesis' own."""

    role: str
    operations: int
    cases: int
    failed: bool
    report: str


@contextmanager
def running(folder: Path) -> Iterator[Served]:
    """A service with a stay in each of two wards, one of which has an alert."""
    with EmbeddedBroker(free_port()) as broker, served(folder, broker.url) as service:
        service.start()
        client = service.client(service.token("admin"))
        for ward in ("6A", "6B"):
            stay = {"patient_ref": f"p-{ward}", "ward": ward, "bed": "1", "devices": ["mon-1"]}
            client.post("/stays", json=stay).raise_for_status()
        now = time.time()
        samples = [{"time": iso(round(now * 1000) + n * 500), "readings": {"spo2": 80}} for n in range(12)]
        publish(broker.port, ("ward/v1/6A/mon-1/vitals", json.dumps({"samples": samples}).encode()))
        until(lambda: client.get("/alerts").json()["items"], 60)
        yield service


def walk(
    service: Served,
    role: str,
    *,
    cases: int,
    seed: int,
    phases: str = PHASES,
    seconds: int | None = None,
    more: Sequence[str] = (),
) -> Outcome:
    """All operations by one role; ``cases`` of each operation at most in each phase."""
    token = service.token(role, *(["6A"] if role == "nurse" else []))
    limit = [] if seconds is None else ["--max-time", str(seconds)]
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "st"),
            *("run", f"{service.url}/openapi.json", "--header", f"Authorization: Bearer {token}"),
            *("--exclude-path", ENDLESS, "--checks", ",".join(CHECKS), "--phases", phases),
            *("--max-examples", str(cases), "--seed", str(seed), "--generation-database", "none"),
            *("--request-timeout", "30", "--no-color", "--no-shrink"),
            *("--continue-on-failure", "--suppress-health-check", "all", *limit, *more),
        ],
        cwd=service.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    report = done.stdout + done.stderr
    operations = re.search(r"Tested: (\d+)", report)
    generated = re.search(r"(\d+) generated", report)
    return Outcome(
        role,
        int(operations[1]) if operations else 0,
        int(generated[1]) if generated else 0,
        done.returncode != 0,
        report,
    )
