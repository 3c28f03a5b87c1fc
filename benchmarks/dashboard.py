"""What the board costs a browser: ``python -m benchmarks.dashboard --beds 48 --minutes 10``.

A demo's ward at the pace of life (monitors send each second), the board in Chromium at 1920 x 1080. Counted
is the processor time of all of the browser's processes, as the system has it, against the time that passed:
decoding, laying out, painting and, without a graphics card, drawing. Memory is the page's heap after a
collection, nodes and listeners, each minute. ``--speed 60`` is a ward in a hurry: what an hour brings comes
in a minute, with alerts flashing.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import CDPSession, sync_playwright

from tests.parts import chromium
from tests.pictures import demo

SETTLE_S: Final = 30.0
TICK: Final = os.sysconf("SC_CLK_TCK")
KEPT: Final = ("JSHeapUsedSize", "Nodes", "JSEventListeners")
TARGET: Final = 10.0
"""% of one core."""


def processor_s(root: int) -> float:
    """Processor time of a process and all below it, seconds."""
    below: dict[int, list[int]] = {}
    used: dict[int, float] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().rpartition(") ")
        except OSError:  # it has just ended
            continue
        fields, pid = rest.split(), int(name.split(" ", 1)[0])
        below.setdefault(int(fields[1]), []).append(pid)
        used[pid] = (int(fields[11]) + int(fields[12])) / TICK
    found, waiting = 0.0, [root]
    while waiting:
        pid = waiting.pop()
        found += used.get(pid, 0.0)
        waiting += below.get(pid, [])
    return found


def held(page: CDPSession) -> dict[str, float]:
    """What the page holds, after a collection."""
    page.send("HeapProfiler.collectGarbage")
    told: Any = page.send("Performance.getMetrics")["metrics"]
    return {one["name"]: one["value"] for one in told if one["name"] in KEPT}


def newest_child() -> int:
    """The browser that this process started: the driver's child."""
    mine = [(pid, parent) for pid, parent in processes() if is_below(parent, os.getpid())]
    names = [(pid, name_of(pid)) for pid, _ in mine]
    return min(pid for pid, name in names if "chrom" in name)


def processes() -> list[tuple[int, int]]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().rpartition(") ")
        except OSError:
            continue
        found.append((int(name.split(" ", 1)[0]), int(rest.split()[1])))
    return found


def is_below(pid: int, root: int) -> bool:
    parents = dict(processes())
    while pid > 1:
        if pid == root:
            return True
        pid = parents.get(pid, 0)
    return False


def name_of(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


def measure(address: str, beds: int, minutes: float) -> None:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        page.goto(address)
        page.locator("[data-testid^=bed-]").nth(beds - 1).wait_for(timeout=60_000)
        root = newest_child()
        cdp = page.context.new_cdp_session(page)
        cdp.send("Performance.enable")
        page.wait_for_timeout(SETTLE_S * 1000)
        begun, used, before = time.monotonic(), processor_s(root), held(cdp)
        first = (begun, used)
        print(f"{'minute':>6} {'% of a core':>12} {'heap, MB':>9} {'nodes':>7} {'listeners':>9}", flush=True)
        for minute in range(1, max(1, round(minutes)) + 1):
            page.wait_for_timeout(60_000)
            at, now = time.monotonic(), processor_s(root)
            share, after = 100 * (now - used) / (at - begun), held(cdp)
            heap, nodes, listeners = (after[name] for name in KEPT)
            print(
                f"{minute:>6} {share:>12.1f} {heap / 1e6:>9.1f} {nodes:>7.0f} {listeners:>9.0f}", flush=True
            )
            begun, used = time.monotonic(), processor_s(root)
        whole = 100 * (used - first[1]) / (begun - first[0])
        grown = (after["JSHeapUsedSize"] - before["JSHeapUsedSize"]) / 1e6
        alerts = page.locator("[data-state=active]").count()
        assert page.get_by_test_id("not-live").count() == 0, "the board is not live"
        browser.close()
    met = "met" if whole < TARGET else "NOT met"
    print(f"{beds} beds, {minutes:g} min: {whole:.1f} % of one core (target: under {TARGET:g} %, {met}),")
    print(f"heap {grown:+.1f} MB from first to last, {alerts} alerts active at the end")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beds", type=int, default=48)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--speed", type=float, default=1.0)
    given = parser.parse_args()
    with demo(given.beds, given.speed) as address:
        measure(address, given.beds, given.minutes)


if __name__ == "__main__":
    main()
