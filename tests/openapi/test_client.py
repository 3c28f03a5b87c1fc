"""The dashboard's types of the API are those of the API as it is."""

from __future__ import annotations

import re

from tests.openapi.client import HEAD, TYPES, digest, digest_of, typed
from tests.web.conftest import schema, template

__all__ = ["schema", "template"]  # the fixtures, made once


def test_the_types_are_those_of_the_api(schema: dict) -> None:
    head, body = TYPES.read_text().split("\n\n", 1)
    found = re.fullmatch(re.escape(HEAD.strip()).replace(r"\{\}", "([0-9a-f]{16})"), head)
    assert found, "the first line of api-types.ts is not that of `make client`"
    assert found[1] == digest_of(typed(schema)), "the API has changed: `make client`"
    assert found[2] == digest(body), "api-types.ts was edited by hand: `make client`"
