"""The short form of ``make schema-fuzz``: the same requests each time, and no server error."""

from __future__ import annotations

import pytest

from tests.openapi.walk import running, walk


@pytest.mark.timeout(900)
def test_the_service_is_what_its_document_says(tmp_path):
    """Everything by who may everything; then what others may not, which needs fewer tries."""
    with running(tmp_path) as service:
        admin = walk(service, "admin", cases=1, seed=1, phases="examples,stateful")
        assert not admin.failed, admin.report
        assert admin.operations > 50
        nurse = walk(service, "nurse", cases=1, seed=1, phases="fuzzing")
        assert not nurse.failed, nurse.report
        assert nurse.operations > 60
        assert "Traceback" not in (tmp_path / "log").read_text()
