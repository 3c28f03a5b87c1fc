from __future__ import annotations

import pytest

from tests.faults.cable import seconds_until_noticed
from tests.faults.house import MissingPartError


def test_a_database_that_vanishes_without_a_word_is_given_up():
    try:
        assert seconds_until_noticed(2_000, patience_s=30) < 10
    except MissingPartError as missing:
        pytest.skip(str(missing))
