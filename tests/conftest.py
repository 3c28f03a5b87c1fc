"""For every test: hypothesis judges the code, not how busy the machine is; and what may run beside what."""

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("ward", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ward")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share what their module starts (a broker, a browser) go to one worker."""
    for item in items:
        shared = getattr(item, "_fixtureinfo", None)
        if shared and any(f[-1].scope == "module" for f in shared.name2fixturedefs.values() if f):
            item.add_marker(pytest.mark.xdist_group(_place(item)))


def _place(item: pytest.Item) -> str:
    """The module, and which of its brokers where it is tried with several."""
    kind = item.callspec.params.get("broker_port", "") if hasattr(item, "callspec") else ""
    return f"{item.location[0]} {kind}".strip()
