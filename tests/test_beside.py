"""Which tests may run beside each other."""

import pytest

from tests.conftest import place


def test_who_shares_what_a_module_starts_stays_together(request):
    """Of all tests of this run; ``place`` sees only their names."""
    apart = {
        item.nodeid
        for item in request.session.items
        if any(made and made[-1].scope == "module" for made in item._fixtureinfo.name2fixturedefs.values())
        if place(item.nodeid) == item.nodeid
    }
    assert apart == set()


@pytest.mark.parametrize(
    ("test", "where"),
    [
        ("ingest/test_kill.py::test_kill_9[embedded]", "ingest/test_kill.py embedded"),
        ("ingest/test_kill.py::test_kill_9[sqlite-mosquitto]", "ingest/test_kill.py mosquitto"),
        ("e2e/test_board.py::test_a_restart", "e2e/test_board.py"),
        ("alerts/test_book.py::test_taken[mosquitto]", "alerts/test_book.py::test_taken[mosquitto]"),
    ],
)
def test_a_broker_or_a_browser_is_shared_and_nothing_else(test, where):
    assert place(f"tests/{test}") == f"tests/{where}"
