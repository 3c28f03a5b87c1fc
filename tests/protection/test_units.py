"""The units for systemd are understood by systemd, and give the service no more than it needs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent.parent / "deploy" / "systemd"
UNITS = sorted(path.name for path in FOLDER.iterdir())


def settings(name: str) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", (FOLDER / name).read_text(), re.MULTILINE))


def test_the_service_is_shut_in() -> None:
    given = settings("ward.service")
    assert given["Restart"] == "always"
    assert given["DynamicUser"] == "yes"
    assert given["NoNewPrivileges"] == "yes"
    assert given["ProtectSystem"] == "strict"
    assert given["CapabilityBoundingSet"] == ""
    assert given["StateDirectoryMode"] == "0700"
    assert given["KillSignal"] == "SIGTERM"


def test_the_backup_writes_for_recipients_and_by_a_timer() -> None:
    assert "ward backup " in settings("ward-backup.service")["ExecStart"]
    assert "--unencrypted" not in settings("ward-backup.service")["ExecStart"]
    assert settings("ward-backup.timer")["Persistent"] == "true"


def test_service_and_backup_read_the_same_settings() -> None:
    keys = ("EnvironmentFile", "WorkingDirectory", "DynamicUser", "User")
    backup, service = settings("ward-backup.service"), settings("ward.service")
    assert [backup[key] for key in keys] == [service[key] for key in keys]


@pytest.mark.parametrize("name", UNITS)
def test_systemd_understands_it(name: str, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("needs systemd-analyze")
    for unit in UNITS:
        text = (FOLDER / unit).read_text().replace("/opt/ward/bin/ward", sys.executable)
        (tmp_path / unit).write_text(text)
    command = [analyze, "verify", "--man=no", str(tmp_path / name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    about = [line for line in (done.stdout + done.stderr).splitlines() if "ward" in line]
    assert about == []
