"""A real service under load: backed up while it runs, destroyed, restored on the other kind of database."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from tests.brokers import until
from tests.e2e.served import Served, served, wait_for
from tests.ports import free_port
from tests.protection.test_upgrade import Stream
from ward.ingest.broker import EmbeddedBroker


def run(ward: Served, *arguments: str) -> str:
    command = [sys.executable, "-m", "ward", *arguments]
    done = subprocess.run(command, env=ward.env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stderr


def destroy(url: str) -> None:
    """All tables of a PostgreSQL database, or the SQLite file."""
    from tests.protection.test_backup import everything_gone

    if make_url(url).drivername.startswith("postgresql"):
        everything_gone(url)
    else:
        shutil.rmtree(Path(str(make_url(url).database)).parent)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_ward_is_backed_up_under_load_and_goes_on_elsewhere(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    urls = {
        "postgresql": str(request.getfixturevalue("postgres_url")),
        "sqlite": f"sqlite:///{tmp_path / 'sqlite' / 'ward.db'}",
    }
    here = urls.pop(kind)
    (there,) = urls.values()
    port = free_port()
    with EmbeddedBroker(port), served(tmp_path, f"mqtt://127.0.0.1:{port}", here) as ward:
        token = ward.token()
        key = tmp_path / "key"
        public = ward.command("backup-key", str(key))
        ward.start()
        api = ward.client(token)
        body = {"patient_ref": "p1", "ward": "w", "bed": "1", "devices": ["mon"], "flags": []}
        stay = api.post("/stays", json=body).json()["id"]
        stream = Stream(port)
        stream.start()

        def told(answer: dict[str, Any]) -> list[tuple[Any, ...]]:
            return [(a["id"], a["raised_at"], a["breach_since"]) for a in answer["items"] if a["raised_at"]]

        found = wait_for(api, f"/alerts?stay={stay}", told, 60)
        file = tmp_path / "backup.age"
        before = api.get(f"/stays/{stay}/vitals?signal=spo2").json()["signals"]["spo2"]
        run(ward, "backup", str(file), "--recipient", public)
        assert "is whole" in run(ward, "backup", str(file), "--verify", "--identity", str(key))
        stream.end()
        ward.kill()
        destroy(here)
        shutil.rmtree(tmp_path / "data", ignore_errors=True)

        ward.env["WARD_DATABASE_URL"] = there
        run(ward, "restore", str(file), "--identity", str(key))
        ward.start()
        after = wait_for(
            api,
            f"/stays/{stay}/vitals?signal=spo2",
            lambda a: len(a["signals"].get("spo2", {"value": []})["value"]) >= len(before["value"]),
        )["signals"]["spo2"]
        n = len(before["value"])
        assert (after["time"][:n], after["value"][:n]) == (before["time"], before["value"])
        # Between the answer and the backup it may have been over and come up again: not what was told before.
        again = {alert: times for alert, *times in told(api.get(f"/alerts?stay={stay}").json())}
        assert all(again[alert] >= times for alert, *times in told(found))
        until(lambda: api.get(f"/stays/{stay}").json()["bed"] == "1")
        assert api.get("/audit?action=backup.restore").json()["items"]
