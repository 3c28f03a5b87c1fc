"""Says in a line each which optional parts the tests will find; run by `make test`.

The tests themselves decide: a fixture that misses its part skips with the same advice.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from hatch_build import node_on_path

PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"])


def program(*names: str) -> str | None:
    return next((found for name in names if (found := shutil.which(name, path=PLACES))), None)


def mosquitto() -> str | None:
    return program("mosquitto")


def postgresql() -> str | None:
    if os.environ.get("WARD_TEST_POSTGRES"):
        return "WARD_TEST_POSTGRES"  # not its value: it may hold a password
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return str(installed[-1].parent) if installed else program("initdb")


def nats_server() -> str | None:
    return os.environ.get("WARD_TEST_NATS") or program("nats-server")


def haproxy() -> str | None:
    return program("haproxy")


def helm() -> str | None:
    return os.environ.get("WARD_TEST_HELM") or program("helm")


def chromium() -> str | None:
    return program("chromium", "chromium-browser", "google-chrome")


def node() -> str | None:
    found = node_on_path()
    return found[0][0] if found else None


def recordings() -> str | None:
    folder = os.environ.get("WARD_TEST_DATA", "")
    return folder if folder and Path(folder).is_dir() else None


PARTS: tuple[tuple[str, Callable[[], str | None], str], ...] = (
    ("Mosquitto", mosquitto, "apt-get install mosquitto"),
    ("PostgreSQL", postgresql, "apt-get install postgresql, or WARD_TEST_POSTGRES=URL"),
    ("nats-server", nats_server, "apt-get install nats-server, or WARD_TEST_NATS=FILE"),
    ("HAProxy", haproxy, "apt-get install haproxy"),
    ("Helm", helm, "helm 3 on PATH, or WARD_TEST_HELM=FILE"),
    ("Chromium", chromium, "apt-get install chromium"),
    ("Node", node, "node 20.19 or newer with npm on PATH, for the dashboard's own tests"),
    ("recordings", recordings, "WARD_TEST_DATA=FOLDER with bidmc, cinc2019, mimic4wdb, news2_vectors"),
)


def main() -> None:
    for name, find, advice in PARTS:
        found = find()
        print(
            f"ward: {name:<12}{f'found: {found}' if found else f'not found, its tests are skipped: {advice}'}"
        )


if __name__ == "__main__":
    main()
