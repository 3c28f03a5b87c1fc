"""How each peer is started in a folder of its own, and where it tells what it found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.peers.files import BROKER_PORT, HERE
from benchmarks.peers.load import Alert
from benchmarks.peers.processes import Tree, answers
from hatch_build import node_on_path
from tests.ports import free_port
from ward.store.database import migrate, open_database
from ward.store.stays import admit
from ward.store.tables.alerting import alerts

WARD, PROMETHEUS, NODE_RED, PLAIN = "ward", "Prometheus", "Node-RED", "plain Python"
NPM_S: Final = 300
CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ward-bench"
Told = dict[Alert, int]
"""When each alert was first told, ms of the wall's clock."""
Heard = Mapping[str, Told]
"""What was told over MQTT, by topic."""


@dataclass(frozen=True, slots=True)
class Peer:
    """``trees``: what was started, an exporter second; ``told``: what it found, asked while it still runs."""

    name: str
    trees: tuple[Tree, ...]
    told: Callable[[Heard], Told]


def ward(folder: Path, broker: int, patients: int, start: int) -> Peer:
    """`ward serve` with its defaults and the scaled pack: SQLite, journal, filter, history, all of it."""
    http, url = free_port(), f"sqlite:///{folder / 'ward.db'}"
    database = open_database(url)
    migrate(database)
    with database.begin() as tx:
        for p in range(patients):
            given = {"stay": f"stay-{p}", "patient_ref": f"p-{p}", "ward": "bench", "bed": str(p)}
            admit(tx, **given, devices=[f"mon-{p}"], at=start - 60_000)
    env = {
        **os.environ,
        "WARD_DATA_DIR": str(folder),
        "WARD_MQTT_URL": f"mqtt://127.0.0.1:{broker}",
        "WARD_HTTP_PORT": str(http),
        "WARD_PACK": str(HERE / "ward" / "pack.toml"),
        "WARD_LOG_LEVEL": "warning",
        "PYTHONPATH": str(HERE.parent.parent),
    }
    tree = Tree([sys.executable, "-m", "ward", "serve"], folder / "log", env, folder)
    tree.wait_for(answers(f"http://127.0.0.1:{http}/readyz"), WARD)

    def told(_: Heard) -> Told:
        with database.connect() as connection:
            rows = connection.execute(
                alerts.select().where(alerts.c.announced_at.is_not(None), alerts.c.kind == "physiological")
            )
            found: Told = {}
            for row in rows:
                key = (int(row.stay.removeprefix("stay-")), row.rule)
                found[key] = min(row.announced_at, found.get(key, row.announced_at))
        database.dispose()
        return found

    return Peer(WARD, (tree,), told)


def prometheus(folder: Path, broker: int) -> Peer:
    """With an exporter; rules and scrapes each second."""
    metrics, http = free_port(), free_port()
    for name in ("prometheus.yml", "rules.yml"):
        text = (HERE / "prometheus" / name).read_text("utf-8")
        (folder / name).write_text(text.replace("127.0.0.1:9464", f"127.0.0.1:{metrics}"), "utf-8")
    env = {**os.environ, "PYTHONPATH": str(HERE.parent.parent)}
    exporter = Tree(
        [sys.executable, "-m", "benchmarks.peers.exporter", str(broker), str(metrics)],
        folder / "exporter.log", env, folder,
    )  # fmt: skip
    exporter.wait_for(answers(f"http://127.0.0.1:{metrics}/metrics"), "the exporter")
    server = Tree(
        [
            "prometheus", f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{http}",
            "--log.level=warn",
        ],
        folder / "log", env, folder,
    )  # fmt: skip
    server.wait_for(answers(f"http://127.0.0.1:{http}/-/ready"), PROMETHEUS)

    def told(_: Heard) -> Told:
        asked = urllib.parse.urlencode({"query": 'ALERTS{alertstate="firing"}[10m]'})
        with urllib.request.urlopen(f"http://127.0.0.1:{http}/api/v1/query?{asked}", timeout=60) as answer:
            series = json.load(answer)["data"]["result"]
        found: Told = {}
        for one in series:
            key = (_patient(one["metric"]["stay"]), one["metric"]["alertname"])
            found[key] = round(1000 * float(one["values"][0][0]))
        return found

    return Peer(PROMETHEUS, (server, exporter), told)


def node_red(folder: Path, broker: int) -> Peer:
    """The flow, headless."""
    for name in ("flows.json", "settings.js"):
        text = (HERE / "node-red" / name).read_text("utf-8")
        (folder / name).write_text(text.replace(f'"port": "{BROKER_PORT}"', f'"port": "{broker}"'), "utf-8")
    installed = node_red_installed()
    assert installed is not None
    red = installed / "node_modules" / "node-red" / "red.js"
    command = ["node", str(red), "--userDir", str(folder), "--settings", str(folder / "settings.js")]
    tree = Tree([*command, "--port", str(free_port())], folder / "log", os.environ, folder)
    return Peer(NODE_RED, (tree,), lambda heard: heard.get("peers/node-red", {}))


def plain(folder: Path, broker: int) -> Peer:
    env = {**os.environ, "PYTHONPATH": str(HERE.parent.parent)}
    command = [sys.executable, "-m", "benchmarks.peers.plain", str(broker)]
    tree = Tree(command, folder / "log", env, folder)
    return Peer(PLAIN, (tree,), lambda heard: heard.get("peers/plain", {}))


def _patient(device: str) -> int:
    return int(device.removeprefix("mon-"))


def heard_alert(payload: bytes) -> Alert:
    """As Node-RED and the script publish it."""
    said = json.loads(payload)
    return _patient(said["device"]), said["rule"]


# ---------------------------------------------------------------------- what is installed


def missing(install: bool) -> dict[str, str]:
    """Peers that cannot be measured here, and why. install: npm may fetch Node-RED into the user's cache."""
    found = {}
    if shutil.which("prometheus") is None:
        found[PROMETHEUS] = "Prometheus is not installed (Debian: apt-get install prometheus)."
    if node_on_path() is None:
        found[NODE_RED] = "Node-RED: there is no Node.js on PATH."
    elif node_red_installed() is None and not (install and _install_node_red()):
        found[NODE_RED] = f"Node-RED {node_red_version()} could not be installed by npm."
    return found


def node_red_version() -> str:
    package = json.loads((HERE / "node-red" / "package.json").read_text("utf-8"))
    return str(package["dependencies"]["node-red"])


def node_red_installed() -> Path | None:
    folder = CACHE / f"node-red-{node_red_version()}"
    return folder if (folder / "node_modules" / "node-red" / "red.js").exists() else None


def _install_node_red() -> bool:
    folder = CACHE / f"node-red-{node_red_version()}"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(HERE / "node-red" / name, folder / name)
    command = ["npm", "ci", "--omit=dev", "--ignore-scripts"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=NPM_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and node_red_installed() is not None
