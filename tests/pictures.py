"""`make pictures`: the dashboard's screens as docs/images/ui shows them, taken from a demo's simulated ward.

``python -m tests.pictures [NAME…]`` takes those whose names begin so, all without a name. ``SCREENS`` is the
table: a screen a line. Only simulated patients are ever in a picture.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.parts import chromium
from tests.ports import free_port

FOLDER: Final = Path(__file__).parent.parent / "docs" / "images" / "ui"
SIZES: Final = {"wall": (1920, 1080), "laptop": (1366, 768), "tablet": (820, 1180), "phone": (390, 844)}
WARM_UP_S: Final = 130.0
"""A good two hours of the ward, sixty times life: alerts of every kind, and a trend behind each value."""
COLOURS: Final = 96
"""Of a picture's palette: screens have few, and small files."""


def nothing(page: Page) -> None:
    """No step before the picture."""


def first_stay(page: Page) -> None:
    """The page of the patient who needs somebody most."""
    page.locator("[data-testid^=bed-] a").first.click()
    page.get_by_test_id("news2-table").wait_for()


def place(page: Page) -> None:
    """Where a patient lies and what measures her, on her page."""
    first_stay(page)
    page.wait_for_timeout(3_000)  # what stands above it is there
    page.get_by_test_id("stay-place").scroll_into_view_if_needed()


def attach(page: Page) -> None:
    """A device of hers is taken off, and offered again."""
    first_stay(page)
    page.locator("[data-testid^=detach-]").first.click()
    page.get_by_test_id("detach-yes").click()
    page.get_by_test_id("attach-open").click()
    page.locator("[data-testid^=offer-]").first.wait_for(timeout=20_000)


def half_a_shift(page: Page) -> None:
    """Some beds are hers, some a colleague's, some nobody's; the alarm is tested."""
    marks = page.locator("[data-testid^=mark-]")
    for number in range(4):
        marks.nth(number).check()
    page.get_by_test_id("take").click()
    page.get_by_test_id("marked").get_by_text("Tap").wait_for()
    marks.nth(4).check()
    page.get_by_test_id("colleague").select_option(index=1)
    page.get_by_test_id("give").click()
    page.get_by_test_id("alarm-test-begin").click()
    page.get_by_test_id("alarm-test-sum").wait_for()


def tried(page: Page) -> None:
    """A threshold moved, and the trial over everybody done."""
    page.get_by_role("grid").wait_for(timeout=120_000)
    page.get_by_test_id("cell-106-600").click()
    page.locator("[data-testid=save]:not([disabled])").wait_for(timeout=180_000)
    page.locator("[data-testid=running] progress").wait_for(state="detached", timeout=180_000)


def proposed(page: Page) -> None:
    """That as a draft."""
    tried(page)
    page.get_by_test_id("save").click()
    page.get_by_test_id("draft-why").fill("Discussed in the ward's meeting: try it for a week.")
    page.get_by_test_id("propose").click()


@dataclass(frozen=True, slots=True)
class Screen:
    """One picture: ``name``.png, of the page at ``hash`` at a size of ``SIZES``, by night or day.

    ``shown`` is the test id that must be there; ``steps`` bring the page to what is to be seen; ``beds`` is
    how many the demo's ward has, none that of a service on its first day.
    """

    name: str
    shown: str
    hash: str = "#/"
    size: str = "wall"
    theme: str = "dark"
    beds: int = 24
    steps: Callable[[Page], None] = nothing


SCREENS: Final[Sequence[Screen]] = (
    Screen("board-12-wall-night", "board", beds=12),
    Screen("board-24-wall-night", "board"),
    Screen("board-24-wall-day", "board", theme="light"),
    Screen("board-48-wall-night", "board", beds=48),
    Screen("board-24-laptop-night", "board", size="laptop"),
    Screen("board-24-tablet-day", "board", size="tablet", theme="light"),
    Screen("board-24-phone-night", "board", size="phone"),
    Screen("stay-laptop-night", "news2-table", size="laptop", steps=first_stay),
    Screen("stay-phone-day", "news2-table", size="phone", theme="light", steps=first_stay),
    Screen("first-run-laptop-day", "first-run", size="laptop", theme="light", beds=0),
    Screen("admit-tablet-night", "admit", "#/admit", "tablet"),
    Screen("admit-phone-day", "admit", "#/admit", "phone", "light"),
    Screen("attach-tablet-night", "offered", size="tablet", steps=attach),
    Screen("place-phone-day", "stay-place", size="phone", theme="light", steps=place),
    Screen("service-laptop-night", "curve-readings", "#/health", "laptop"),
    Screen("service-wall-day", "curve-readings", "#/health", "wall", "light"),
    Screen("plan-laptop-day", "plan-steps", "#/plan/surgical", "laptop", "light"),
    Screen("plan-phone-night", "plan-steps", "#/plan/surgical", "phone"),
    Screen("users-laptop-day", "users", "#/users", "laptop", "light"),
    Screen("users-phone-night", "users", "#/users", "phone"),
    Screen("audit-laptop-night", "audit-lines", "#/audit", "laptop"),
    Screen("tokens-tablet-day", "tokens", "#/tokens", "tablet", "light"),
    Screen("wards-tablet-night", "wards", "#/wards", "tablet"),
    Screen("packs-laptop-day", "pack-rules", "#/packs", "laptop", "light"),
    Screen("reports-laptop-day", "report-figures", hash="#/reports", size="laptop", theme="light"),
    Screen("shift-laptop-night", "shift", "#/shift", "laptop", beds=12, steps=half_a_shift),
    Screen("shift-phone-day", "shift", "#/shift", "phone", "light", beds=12),
    Screen("handover-laptop-day", "handover-span", "#/handover", "laptop", "light", beds=12),
    Screen("workbench-laptop-night", "heat", "#/workbench/hr-from-111", "laptop", beds=12, steps=tried),
    Screen(
        "draft-laptop-day", "draft", "#/workbench/hr-from-111", "laptop", "light", beds=12, steps=proposed
    ),
)


@contextlib.contextmanager
def started(
    *command: str, **settings: object
) -> Iterator[tuple[subprocess.Popen[bytes], Path, dict[str, str]]]:
    """A command of ward's in a folder of its own, its log, and what it was started with."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        kept = {k: v for k, v in os.environ.items() if not k.startswith("WARD_")}
        given = {"MQTT_URL": f"mqtt://127.0.0.1:{free_port()}", "HTTP_PORT": free_port(), **settings}
        env = kept | {f"WARD_{name}": str(value) for name, value in given.items()}
        env |= {"PYTHONUNBUFFERED": "1", "WARD_DATA_DIR": f"{folder}/data"}
        with log.open("wb") as written:
            process = subprocess.Popen(
                [sys.executable, "-m", "ward", *command], env=env, stdout=written, stderr=written
            )
        try:
            yield process, log, env
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:  # a machine that is busy: nothing may be left behind
                process.kill()
                process.wait(30)


@contextlib.contextmanager
def demo(beds: int, speed: float = 60.0) -> Iterator[str]:
    """A demo's ward after two of its hours; yields the link that logs a browser in."""
    with started("demo", "--http-port", str(free_port()), "--beds", str(beds), "--speed", str(speed)) as (
        process,
        log,
        _,
    ):
        found = link(process, log)
        time.sleep(WARM_UP_S)
        yield found


@contextlib.contextmanager
def first_day() -> Iterator[str]:
    """A service without patients, devices or a broker, and an administrator's link into it."""
    with started("serve", SIMULATOR="allowed") as (process, log, env):
        while "listening" not in log.read_text():
            if process.poll() is not None:
                raise SystemExit(f"the service did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.1)
        ward = [sys.executable, "-m", "ward"]
        run = partial(subprocess.run, env=env, check=True, capture_output=True, text=True)
        run([*ward, "token", "create", "--role", "admin", "--name", "pictures"])
        (token,) = (line.split("\t")[0] for line in run([*ward, "token", "list"]).stdout.splitlines())
        yield run([*ward, "token", "link", token]).stdout.strip()


def link(process: subprocess.Popen[bytes], log: Path) -> str:
    for _ in range(3_000):
        if found := re.search(r"http://\S+/login\?code=\S+", log.read_text()):
            return found.group()
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit(f"the demo did not start:\n{log.read_text()[-2000:]}")


def take(browser: Browser, address: str, screens: Sequence[Screen]) -> None:
    """The pictures of one demo."""
    for screen in screens:
        width, height = SIZES[screen.size]
        context = browser.new_context(viewport={"width": width, "height": height})
        context.add_init_script(f"localStorage.setItem('ward.theme', '{screen.theme}')")
        page = context.new_page()
        page.goto(address)
        page.get_by_test_id("board" if screen.beds else "first-run").wait_for(timeout=30_000)
        page.evaluate(f"location.hash = {screen.hash!r}")
        screen.steps(page)
        page.get_by_test_id(screen.shown).first.wait_for(timeout=30_000)
        page.wait_for_timeout(2_500)  # what is fetched after the page is there: trends, fonts
        write(screen.name, page.screenshot())
        context.close()


def write(name: str, png: bytes) -> None:
    picture: Any = Image.open(BytesIO(png)).convert("RGB")
    picture = picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    picture.save(FOLDER / f"{name}.png", optimize=True)
    print(f"{name}: {(FOLDER / f'{name}.png').stat().st_size / 1024:.0f} kB", flush=True)


def main(wanted: Sequence[str]) -> None:
    chosen = [s for s in SCREENS if not wanted or any(s.name.startswith(name) for name in wanted)]
    if not chosen:
        raise SystemExit(f"no such picture; there are {', '.join(s.name for s in SCREENS)}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        for beds in sorted({screen.beds for screen in chosen}):
            with demo(beds) if beds else first_day() as address:
                take(browser, address, [screen for screen in chosen if screen.beds == beds])
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
