"""For every test: hypothesis judges the code, not how busy the machine is; and what may run beside what."""

from __future__ import annotations

import re
from collections.abc import Generator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings

settings.register_profile("ward", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ward")

# Where nobody has set logging up, structlog would draw a traceback with what each frame holds: for seconds.
PLAIN = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
structlog.configure(processors=[*structlog.get_config()["processors"][:-1], PLAIN])

ROOT = Path(__file__).parent.parent
SHARED = re.compile(r"scope=\"module\"|\bbroker_port\b|\bchrome\b")
KIND = re.compile(r"\[(?:.*-)?(embedded|mosquitto)\b")
LONG = ("tests/e2e", "tests/faults", "tests/protection", "tests/notify", "tests/openapi", "tests/test_real")
"""Begun first, so that none of these is what all others are waited for in the end."""


@cache
def shares(module: str) -> bool:
    """Whether tests of the module share what it starts: a broker, a service, a browser."""
    return SHARED.search((ROOT / module).read_text("utf-8")) is not None


def place(nodeid: str) -> str:
    """Tests of one place run in one worker, one after the other: of a module that shares what it starts,
    those of the same broker; each other test is its own."""
    module = nodeid.partition("::")[0]
    if not shares(module):
        return nodeid
    kind = KIND.search(nodeid)
    return f"{module} {kind[1]}" if kind else module


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        from tests import browsers  # takes seconds, which only a failure is worth

        report.sections += [(f"shown at {address}", words) for address, words in browsers.shown()]
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """By ``place``. The marks of xdist that are for this do nothing with pytest 9.2, and do not say so."""
    from xdist.scheduler import LoadScopeScheduling

    class ByPlace(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return place(nodeid)

    return ByPlace(config, log)
