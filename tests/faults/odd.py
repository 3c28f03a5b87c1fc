"""Faults of disks, clocks and devices that need more than a kill: what they set up, do and judge."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as paho

from tests.brokers import client_at
from tests.faults import judge
from tests.faults.house import MissingPartError, resident_mb, wait_until
from tests.faults.judge import Told, Verdict
from tests.faults.oracle import undisturbed
from tests.faults.run import Options, Run
from tests.faults.stream import WARD
from ward.clock import iso, wall_ms
from ward.signals import HOUR, SECOND
from ward.store.database import open_database
from ward.store.history import list_unassigned

# ---------------------------------------------------------------------- a full disk

DISK_MB: Final = 64


def small_disk(run: Run) -> None:
    """The data folder on a disk of its own."""
    folder = Path(run.house.ward.env["WARD_DATA_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        raise MissingPartError("needs root, to mount a small disk")
    run.house.undo.append(lambda: subprocess.run(["umount", "--lazy", str(folder)], check=False))


def full_disk(run: Run) -> None:
    ballast = Path(run.house.ward.env["WARD_DATA_DIR"]) / "ballast"
    for turn in range(run.options.times):
        begun = time.monotonic()
        length = run.rng.uniform(4.0, 20.0)
        said: set[str] = set()
        while time.monotonic() - begun < length:
            with contextlib.suppress(OSError), ballast.open("ab", buffering=0) as file:
                while True:
                    file.write(bytes(4096))
            said.update(run.house.reasons())
            time.sleep(0.2)
        run.report.figures["turns_without_a_word"] = run.report.figures.get("turns_without_a_word", 0) + (
            not said
        )
        ballast.unlink()
        run.recovered()
        run.pause(3.0, 6.0)
        run.report.times += 1
        run.say(f"disk full {turn + 1} of {run.options.times}: {sorted(said)}")
    # SQLite may go on for a while in the room that its log has already.
    assert run.report.figures["turns_without_a_word"] < run.options.times, (
        "the disk is full, and nobody is told"
    )


# ---------------------------------------------------------------------- clocks

LIBRARY: Final = "libfaketime.so.1"
JUMP: Final = HOUR


def settable_clock(run: Run) -> None:
    """The service's own wall clock, to be set while it runs."""
    found = sorted(Path("/usr/lib").glob(f"*/faketime/{LIBRARY}"))
    if not found:
        raise MissingPartError("needs faketime: apt-get install faketime")
    clock = run.house.folder / "clock"
    clock.write_text("+0\n")
    run.house.ward.env |= {
        "LD_PRELOAD": str(found[0]),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def _set_clock(run: Run, seconds: float) -> None:
    clock = run.house.folder / "clock"
    fresh = clock.with_suffix(".new")
    fresh.write_text(f"{seconds:+.3f}\n")
    fresh.rename(clock)


def clock_back(run: Run) -> None:
    """The machine's clock is set back and later right: the ward's goes on, and says so."""
    for turn in range(run.options.times):
        back = run.rng.choice([5, 60, 3600, 86_400])
        _set_clock(run, -back)
        wait_until(
            lambda: any("clock" in reason for reason in run.house.reasons()), 20, "the clock's fault is said"
        )
        run.pause(5.0, 15.0)
        _set_clock(run, 0)
        run.recovered()
        run.pause(3.0, 6.0)
        run.report.times += 1
        run.say(f"clock set back {turn + 1} of {run.options.times}")


def clock_forward(run: Run) -> None:
    """The machine's clock jumps an hour ahead and stays there: once a run. The ward's goes on as it was,
    and says so, until the service is started again."""
    time.sleep(30)
    _set_clock(run, JUMP / 1000)
    wait_until(lambda: any("forward" in said for said in run.house.reasons()), 20, "the jump is said")
    run.pause(3.0, 8.0)
    run.report.figures["jumped_at"] = wall_ms()
    run.house.kill()
    run.house.start()
    run.restarted()
    run.report.times = 1
    time.sleep(60 + 10 * run.options.times)
    run.shifted.update(run.stays)


def judge_forward(run: Run, got: Told, verdict: Verdict) -> None:
    at = run.report.figures["jumped_at"]
    blind = [(at - 20 * SECOND, at + 60 * SECOND)]
    expected = undisturbed(run.devices.plan, run.devices.origin, run.devices.last + 1, run.house.pack)
    judge.judge_roughly(verdict, expected, got, run.stays.keys(), blind, (0, JUMP))


SET_AT: Final = (40, 110)
"""Between these samples the clocks of a quarter of the devices are wrong."""
WRONG: Final = (5, -5, 90, -90, 300, -300, 7200, -7200)
"""By so many seconds."""


def wrong_clocks(options: Options) -> Any:
    rng = random.Random(f"{options.seed}/clocks")
    off = {n: rng.choice(WRONG) * SECOND for n in range(0, options.stays, 4)}
    return lambda n, sample: off.get(n, 0) if SET_AT[0] <= sample < SET_AT[1] else 0


def clocks_of_devices(run: Run) -> None:
    odd = range(0, run.options.stays, 4)
    run.shifted.update(odd)
    run.ignored.update(odd)
    time.sleep(SET_AT[1] + 10 * run.options.times)
    run.report.times = len(odd)


def judge_clocks(run: Run, got: Told, verdict: Verdict) -> None:
    devices = run.devices
    expected = undisturbed(devices.plan, devices.origin, devices.last + 1, run.house.pack)
    judge.judge_alerts(verdict, expected, got, run.ignored)
    blind = [(devices.origin + (k - 20) * SECOND, devices.origin + (k + 60) * SECOND) for k in SET_AT]
    judge.judge_roughly(verdict, expected, got, run.ignored, blind, (0,))


# ---------------------------------------------------------------------- too much

TENFOLD: Final = 10
WILLS: Final = 10_000


def flood(run: Run) -> None:
    """Nine times as many devices more, for a minute."""
    process = run.house.ward.process
    assert process is not None
    run.report.figures["memory_before_mb"] = round(resident_mb(process.pid))
    stays = run.options.stays
    command = [sys.executable, "-m", "tests.faults.flood", str(run.house.broker.port), str(run.options.seed)]
    command += [str(stays), str(TENFOLD * stays), "60"]
    deepest = 0.0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as flooding:
        while flooding.poll() is None:
            deepest = max(deepest, run.house.metric("ward_queue_messages") or 0.0)
            time.sleep(0.5)
        assert flooding.stdout is not None
        run.report.figures["flood_samples"] = int(flooding.stdout.read())
    run.report.figures["queue_at_most"] = deepest
    run.recovered()
    run.pause(5.0, 8.0)
    run.report.times = 1


def judge_flood(run: Run, got: Told, verdict: Verdict) -> None:
    db = open_database(run.house.database_url)
    with db.connect() as connection:
        kept = sum(device.count for device in list_unassigned(connection))
    db.dispose()
    run.report.figures["flood_lost"] = 5 * run.report.figures["flood_samples"] - kept
    expected = undisturbed(run.devices.plan, run.devices.origin, run.devices.last + 1, run.house.pack)
    judge.judge_alerts(verdict, expected, got)


RESTLESS: Final = "restless"


def reconnecting(run: Run) -> None:
    """A device that connects each second, says that it is there, measures once, and is cut off."""
    body = {"patient_ref": "r", "ward": WARD, "bed": "r", "devices": [RESTLESS], "flags": []}
    answer = run.house.api().post("/stays", json=body)
    assert answer.status_code == 201, answer.text
    run.report.figures["restless_stay"] = answer.json()["id"]
    sent = 0
    for turn in range(10 * run.options.times):
        begun = time.monotonic()
        sent += _connect_once(run.house.broker.port, turn)
        time.sleep(max(0.0, 1.0 - (time.monotonic() - begun)))
        run.report.times += 1
    run.report.figures["restless_samples"] = sent


def _connect_once(port: int, turn: int) -> bool:
    """Whether its sample was acknowledged."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=RESTLESS)
    topic = f"ward/v1/{WARD}/{RESTLESS}"
    session = f"session-{turn}"
    client.will_set(f"{topic}/status", json.dumps({"state": "offline", "session": session}), 1, retain=True)
    client.connect("127.0.0.1", port, 10)
    client.loop_start()
    birth = {"state": "online", "session": session, "interval_s": {"hr": 1}}
    client.publish(f"{topic}/status", json.dumps(birth), 1, retain=True)
    sample = {"seq": 0, "session": session, "time": iso(wall_ms()), "readings": {"hr": 70 + turn % 5}}
    info = client.publish(f"{topic}/vitals", json.dumps(sample), 1)
    info.wait_for_publish(5)
    sock = client.socket()
    if sock is not None:
        sock.shutdown(2)  # no DISCONNECT: the broker tells its will
    client.loop_stop()
    return info.is_published()


def judge_reconnecting(run: Run, got: Told, verdict: Verdict) -> None:
    figures = run.report.figures
    db = open_database(run.house.database_url)
    figures["restless_lost"] = figures["restless_samples"] - sum(
        judge.stored(db, figures.pop("restless_stay")).values()
    )
    db.dispose()
    expected = undisturbed(run.devices.plan, run.devices.origin, run.devices.last + 1, run.house.pack)
    judge.judge_alerts(verdict, expected, got)


def leave_wills(run: Run) -> None:
    """What the devices of a whole hospital left behind when its network went down."""
    with client_at(run.house.broker.port) as client:
        will = json.dumps({"state": "offline", "session": "gone"}).encode()
        sent = [
            client.publish(f"ward/v1/{WARD}/gone-{n:05}/status", will, 1, retain=True) for n in range(WILLS)
        ]
        for info in sent:
            info.wait_for_publish(60)


def with_wills(run: Run) -> None:
    """The service starts again on all of them, while the stream runs."""
    for _ in range(run.options.times):
        run.house.kill()
        run.house.start()
        run.restarted()
        run.pause(4.0, 8.0)
        run.report.times += 1
    listed = run.house.api().get("/devices", params={"limit": 1}).status_code
    assert listed == 200, "the list of devices"
