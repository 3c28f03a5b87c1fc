"""``ward user`` and ``ward token``: people, walls and programs from the command line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from ward.cli import app
from ward.store.audit import read
from ward.store.database import open_database

PASSWORD = "three words nobody joins"


class Shell:
    """Runs ``ward`` in this process, on a data folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.env = {"WARD_DATA_DIR": str(folder), "WARD_PUBLIC_URL": "https://ward.example/"}
        self.url = f"sqlite:///{folder / 'ward.db'}"

    def __call__(self, *arguments: str, typed: str = "", fails: str | None = None) -> Result:
        done = CliRunner().invoke(app, list(arguments), input=typed, env=self.env)
        if fails is None:
            assert done.exit_code == 0, done.stderr
        else:
            assert done.exit_code == 2
            assert fails in done.stderr
        return done

    def trail(self) -> list[str]:
        engine = open_database(self.url)
        with engine.connect() as connection:
            found = [f"{line.action} {line.detail}" for line in read(connection)]
        engine.dispose()
        return found


@pytest.fixture
def ward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path / "data")


def test_the_first_administrator_and_her_colleagues(ward: Shell) -> None:
    ward("user", "add", "me", "--role", "admin", typed=PASSWORD + "\n")
    code = ward("user", "add", "Nina", "--name", "Nina Weiß", "--role", "nurse", "--ward", "6A", "--code")
    assert re.fullmatch(r"[\w-]{43}\n", code.stdout)
    assert f"https://ward.example/#/password/{code.stdout.strip()}" in code.stderr
    assert ward("user", "list").stdout.splitlines() == [
        "me\tme\tadmin\tall wards\tmay log in",
        "Nina\tNina Weiß\tnurse\t6A\thas no password yet",
    ]
    ward("user", "set", "NINA", "--ward", "6B", "--password", typed=PASSWORD + "\n")
    assert "Nina\tNina Weiß\tnurse\t6B\tmay log in" in ward("user", "list").stdout
    ward("user", "reset", "nina")
    assert "has no password yet" in ward("user", "list").stdout
    ward("user", "disable", "nina")
    assert "disabled 20" in ward("user", "list").stdout
    ward("user", "disable", "nina", "--undo")
    assert "disabled" not in ward("user", "list").stdout
    said = ward.trail()
    assert [line.split(" ")[0] for line in said] == [
        "user.add",
        "user.add",
        "user.set",
        "user.reset",
        "user.disable",
        "user.enable",
    ]
    assert not [line for line in said if PASSWORD in line or code.stdout.strip() in line]


def test_what_is_wrong_is_said_in_a_line(ward: Shell) -> None:
    ward("user", "add", "me", "--role", "admin", typed="short\n", fails="at least 15 characters")
    ward("user", "add", "me", "--role", "king", typed=PASSWORD, fails="allowed for people")
    ward("user", "add", "me", "--role", "nurse", typed=PASSWORD, fails="needs at least one ward")
    ward("user", "add", "me", "--role", "admin", typed=PASSWORD)
    ward("user", "add", "ME", "--role", "admin", typed=PASSWORD, fails="there is a user ME already")
    ward("user", "disable", "me", fails="the last administrator")
    ward("user", "set", "nobody", fails="there is no user 'nobody'")


def test_a_password_is_no_argument(ward: Shell) -> None:
    done = CliRunner().invoke(app, ["user", "add", "me", "--role", "admin", "--password", PASSWORD])
    assert done.exit_code == 2
    assert "No such option" in done.output


def test_walls_and_programs(ward: Shell) -> None:
    made = ward("token", "create", "--role", "kiosk", "--name", "Wall 6A", "--ward", "6A")
    assert made.stdout.startswith("ward_")
    assert re.search(r"https://ward\.example/login\?code=[\w-]{43}$", made.stderr.strip())
    ward("token", "create", "--role", "kiosk", "--name", "x", fails="a kiosk needs at least one ward")
    ward("token", "create", "--role", "integration", "--name", "r", "--scope", "read:vitals", "--days", "1")
    ward("token", "create", "--role", "admin", "--name", "r", "--scope", "read", fails="scopes are of")
    program = ("token", "create", "--role", "integration", "--name", "r", "--scope")
    ward(*program, "raed", fails="there is no scope 'raed'; allowed: read, ")
    wall, reader = (line.split("\t") for line in ward("token", "list").stdout.splitlines())
    assert wall[1:] == ["Wall 6A", "kiosk", "6A", "all scopes", "valid"]
    assert reader[2:5] == ["integration", "all wards", "read:vitals"]
    assert reader[5].startswith("valid until 20")
    assert ward("token", "link", wall[0]).stdout.startswith("https://ward.example/login?code=")
    ward("token", "revoke", wall[0])
    assert "revoked 20" in ward("token", "list").stdout
    ward("token", "link", wall[0], fails="was revoked")
    ward("token", "revoke", "none", fails="no token none")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_root_makes_in_the_service_s_folder_is_the_service_s(tmp_path: Path) -> None:
    folder, nobody = tmp_path / "data", 65534
    folder.mkdir(mode=0o700)
    for name in ("of-root", "of-root-too"):
        (tmp_path / name).touch()
    (folder / "link").symlink_to(tmp_path / "of-root")
    (folder / "hard").hardlink_to(tmp_path / "of-root-too")
    (folder / "old").touch()
    os.utime(folder / "old", (0, 0))
    os.chown(folder, nobody, nobody)
    subprocess.run(
        [sys.executable, "-m", "ward", "device", "add", "6A/mon-12"],
        env={**os.environ, "WARD_DATA_DIR": str(folder)},
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    owners = {path.name: path.lstat().st_uid for path in folder.iterdir()}
    assert {"ward.db", "device-secret"} <= owners.keys()
    assert {name for name, owner in owners.items() if owner != nobody} == {"link", "hard", "old"}
    assert (tmp_path / "of-root").stat().st_uid == 0


def test_links_have_the_sub_path(ward: Shell) -> None:
    del ward.env["WARD_PUBLIC_URL"]
    ward.env["WARD_ROOT_PATH"] = "/ward"
    made = ward("token", "create", "--role", "kiosk", "--name", "Wall 6A", "--ward", "6A")
    assert "http://127.0.0.1:8080/ward/login?code=" in made.stderr
